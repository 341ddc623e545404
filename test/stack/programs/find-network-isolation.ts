// Prints what `findNetworkIsolation` finds: a test takes tools and rights away from this process.
import { findNetworkIsolation } from '../../../stack/network/isolation.ts';

process.stdout.write(JSON.stringify(await findNetworkIsolation('auto')));
