#!/bin/sh
# Makes dist/, which is what an installed package runs: Node strips no types below node_modules. `npm pack` calls it,
# and removes dist/ again; a clone runs its TypeScript.
set -eu
cd "${0%/*}/../.."
rm -rf dist
tsc -p runtime/package/tsconfig.json
tsc -p runtime/package/tsconfig.console.json
# What is read at run time from beside the source. Of the console that is all but its modules and what only tsc reads.
cp lib/process/linux/*.sh dist/lib/process/linux/
(cd runtime/console && find . -type f ! -name '*.ts' ! -name tsconfig.json) | while read -r file; do
  mkdir -p "dist/runtime/console/${file%/*}"
  cp "runtime/console/$file" "dist/runtime/console/$file"
done
runtime/node.sh runtime/package/client-declarations.ts ask
tsc -p runtime/package/tsconfig.client.json
runtime/node.sh runtime/package/client-declarations.ts answer
