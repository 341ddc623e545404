// Prints what `findWall` finds: a test takes tools and rights away from this process.
import { findWall } from '../../../stack/wall/find.ts';

process.stdout.write(JSON.stringify(await findWall('auto')));
