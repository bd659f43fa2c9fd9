#!/usr/bin/env bash
# Puts the platform up on Cloudflare: namespaces, queues, then every Worker behind those it is bound to, then asks whether it works.
set -euo pipefail
# shellcheck source=scripts/deploying.sh
source "$(dirname "${BASH_SOURCE[0]}")/deploying.sh"

usage() {
  cat <<'TEXT'
deploy-all.sh [--dry-run] [--only name[,name …]] [--url URL] [--no-verify]

Creates missing dispatch namespaces and queues, deploys every Worker in the order of the bindings, and verifies the deployment.
It stops at the first Worker that fails, and says what is up and what is not. Run again, it goes on.

  --dry-run     bundles every Worker as it would be deployed, and changes nothing
  --only        deploys these Workers alone, in the same order
  --url         where the gateway answers, if not at https://gateway.do
  --no-verify   does not ask whether it works: for the first time, when the secrets are not put yet
TEXT
}

dry_run=
only=
url=https://gateway.do
verify=yes
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --no-verify) verify= ;;
    --only | --url)
      [ -n "${2-}" ] || refuse "$1 needs a value; see --help"
      if [ "$1" = --only ]; then only="$only ${2//,/ }"; else url=$2; fi
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) refuse "deploy-all.sh does not know $1; see --help" ;;
  esac
  shift
done

require_install
# shellcheck disable=SC2086 # the names given become one word each
order=$(deployment_order $only)

if [ -n "$dry_run" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  deploy_each 'as a dry run' "$order" --dry-run --outdir "$scratch"
  exit 0
fi

require_account "$order"
"$root/scripts/setup-namespaces.sh"

# shellcheck disable=SC2086
queues=$(node "$root/scripts/required-queues.ts" $order)
while IFS= read -r queue; do
  [ -n "$queue" ] || continue
  if wrangler queues info "$queue" >/dev/null 2>&1 </dev/null; then
    say "queue $queue is there"
  else
    wrangler queues create "$queue" </dev/null || fail "!! the queue $queue was not created; no Worker was deployed"
  fi
done <<<"$queues"

deploy_each 'to Cloudflare' "$order"

[ -n "$verify" ] || exit 0
node "$root/scripts/verify-deployment.ts" --url "$url" || fail '!! everything is deployed, and does not all work'
