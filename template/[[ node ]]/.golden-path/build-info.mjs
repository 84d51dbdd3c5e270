// Writes version and revision beside what was compiled, and sets every time stamp to 0, so that one commit makes one image.
// usage: VERSION=... REVISION=... build-info.mjs ROOT COMPILED, the root of the layer and a folder in it

import { lutimesSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [root, compiled] = process.argv.slice(2);
const { VERSION: version, REVISION: revision } = process.env;
writeFileSync(join(root, compiled, "build-info.json"), JSON.stringify({ version, revision }));
for (const path of [...readdirSync(root, { recursive: true }).map((name) => join(root, name)), root]) {
  lutimesSync(path, 0, 0);
}
