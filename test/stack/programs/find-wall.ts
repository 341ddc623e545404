// Prints the result of `findWall`. A test removes tools and rights from this process.
import { findWall } from '../../../stack/wall/find.ts';

process.stdout.write(JSON.stringify(await findWall('auto')));
