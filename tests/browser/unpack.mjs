// Unpacks the Chromium of the npm package, with its libraries and fonts, into the folder TMPDIR.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import chromium, { inflate } from '@sparticuz/chromium';

const folder = process.env.TMPDIR;
const packed = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', 'bin');
mkdirSync(folder, { recursive: true });
chromium.setGraphicsMode = false;
await inflate(join(packed, 'al2023.tar.br'));
await inflate(join(packed, 'fonts.tar.br'));
writeFileSync(join(folder, 'fonts.conf'), `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>
`);
renameSync(await inflate(join(packed, 'chromium.br')), join(folder, 'browser'));  // last: it is whole or not there
