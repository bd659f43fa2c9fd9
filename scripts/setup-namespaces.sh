#!/usr/bin/env bash
# Creates the dispatch namespaces that published workers lie in, as far as they are missing.
set -euo pipefail
# shellcheck source=scripts/deploying.sh
source "$(dirname "${BASH_SOURCE[0]}")/deploying.sh"

usage() {
  cat <<'TEXT'
setup-namespaces.sh [--dry-run]

Creates every dispatch namespace of scripts/worker-namespaces.json that the account lacks. Run again, it finds nothing to do.

  --dry-run   only says which are missing
TEXT
}

dry_run=
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=yes ;;
    -h | --help) usage && exit 0 ;;
    *) refuse "setup-namespaces.sh does not know $argument; see --help" ;;
  esac
done

require_install
if ! present=$(wrangler dispatch-namespace list 2>&1 </dev/null); then
  fail "$present
The account's namespaces cannot be listed: it needs Workers for Platforms, and the token the permission Workers Scripts: Edit."
fi

# wrangler cuts its list after a hundred; then one that is not in it is asked for by name.
exists() {
  grep -qF "namespace_name: '$1'" <<<"$present" && return
  grep -qE '[0-9] more items?' <<<"$present" && wrangler dispatch-namespace get "$1" >/dev/null 2>&1 </dev/null
}

namespaces=$(known_namespaces)
missing=0
while IFS= read -r namespace; do
  if exists "$namespace"; then
    say "$namespace is there"
    continue
  fi
  missing=$((missing + 1))
  if [ -n "$dry_run" ]; then
    say "$namespace is missing"
  elif wrangler dispatch-namespace create "$namespace" </dev/null; then
    say "$namespace was created"
  else
    fail "!! $namespace was not created"
  fi
done <<<"$namespaces"
[ "$missing" -gt 0 ] || say 'nothing to do'
