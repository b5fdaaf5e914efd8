#!/bin/sh
# Makes dist/, which is what an installed package runs: Node strips no types below node_modules. `npm pack` calls it,
# and removes dist/ again; a clone runs its TypeScript.
set -eu
cd "${0%/*}/../.."
rm -rf dist
tsc -p runtime/package/tsconfig.json
# What is read at run time from beside the source.
cp lib/process/linux/*.sh dist/lib/process/linux/
runtime/node.sh runtime/package/client-declarations.ts ask
tsc -p runtime/package/tsconfig.client.json
runtime/node.sh runtime/package/client-declarations.ts answer
