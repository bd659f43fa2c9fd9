# What the scripts that deploy have in common. They source it; by itself it does nothing.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The project's own Node, which runs TypeScript as it stands, and its own wrangler.
export PATH="$root/scripts/node_modules/.bin:$root/node_modules/.bin:$PATH"
# Nobody is there to be asked, in CI as little as in a pipe.
export WRANGLER_SEND_METRICS=false CI="${CI:-true}"

say() { printf '%s\n' "$*"; }

# Ends the script: with 2 for a call that makes no sense, with 1 for what went wrong on the way.
refuse() {
  printf '%s\n' "$*" >&2
  exit 2
}
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

require_install() {
  command -v wrangler >/dev/null || fail "wrangler is not installed here: run npx -y pnpm@12 install in $root"
}

# The names given, or all Workers, in the order they can be deployed, one in a line.
deployment_order() { node "$root/scripts/deployment-order.ts" "$@"; }

# The dispatch namespaces there are to be, one in a line.
known_namespaces() { node "$root/scripts/worker-namespaces.ts"; }

# Names on one line, as a sentence wants them; a dash for none.
listed() {
  local names
  names=$(printf '%s ' "$@")
  names=${names% }
  printf '%s' "${names:-–}"
}

# Whether a Worker is to be told the account, which no file of the repository knows.
wants_account() { grep -q '"CLOUDFLARE_ACCOUNT_ID"' "$root/$1/wrangler.jsonc"; }

# require_account <names, one in a line>
require_account() {
  local name
  while IFS= read -r name; do
    if [ -n "$name" ] && wants_account "$name" && [ -z "${CLOUDFLARE_ACCOUNT_ID-}" ]; then
      refuse "$name is to be told the account: put its id into CLOUDFLARE_ACCOUNT_ID"
    fi
  done <<<"$1"
}

# deploy_each <what for> <names, one in a line> <wrangler deploy's further arguments …>
# Deploys Worker after Worker, and stops at the first that fails, saying what is up and what is not.
deploy_each() {
  local what_for=$1 names=$2 name
  shift 2
  local done_names='' left=$names
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    say "== $name $what_for"
    local -a more=("$@")
    if wants_account "$name"; then more+=(--var "CLOUDFLARE_ACCOUNT_ID:${CLOUDFLARE_ACCOUNT_ID-}"); fi
    if ! wrangler --cwd "$root/$name" deploy ${more[@]+"${more[@]}"} </dev/null; then
      # shellcheck disable=SC2086 # names hold no blanks, and are to be apart
      fail "!! $name was not deployed. Deployed before it: $(listed $done_names). Not deployed: $(listed $left)."
    fi
    done_names="$done_names $name"
    left=$(printf '%s\n' "$left" | grep -vx -- "$name" || true)
  done <<<"$names"
  # shellcheck disable=SC2086
  say "deployed $what_for: $(listed $done_names)"
}
