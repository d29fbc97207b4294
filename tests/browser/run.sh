#!/usr/bin/env bash
# The pages in a real browser, as a reader opens them: from a file, with clicks and keys.
#
# Makes the pages it needs (the full comparison, unless it is there already, and one run), then lets
# `page.mjs` drive headless Chromium. Nothing is installed into the tree: it all goes to
# target/browser, and so do the screenshots, for a person to look at.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Only what is missing: where node is not Debian's, Debian's npm cannot be installed beside it.
missing=()
command -v chromium > /dev/null || missing+=(chromium)
command -v node > /dev/null || missing+=(nodejs)
command -v npm > /dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
  echo "tests/browser: needs ${missing[*]}; trying to install" >&2
  apt-get update -q > /dev/null && apt-get install -y -q "${missing[@]}" > /dev/null
fi

room=target/browser
mkdir -p "$room/shots"
cp tests/browser/package.json tests/browser/package-lock.json tests/browser/*.mjs "$room/"
if ! cmp -s "$room/package-lock.json" "$room/installed.json"; then
  (cd "$room" && npm ci --silent --no-audit --no-fund)
  cp "$room/package-lock.json" "$room/installed.json"
fi

[ "${1:-}" = "--keep" ] && [ -f target/picklock/compare/index.html ] || cargo picklock compare > /dev/null
cargo picklock run scenarios/published/s1-gc-pause.toml > /dev/null
run=target/picklock/run/event/s1-gc-pause/redis-token-cad-1
cargo picklock report "$run.plan.json" -o "$room/run.html" > /dev/null
cp "$run.history.jsonl" "$room/old.history.jsonl"
cargo picklock report "$room/old.history.jsonl" -o "$room/old.html" > /dev/null

cd "$room"
exec node --test --test-concurrency=1 page.mjs
