#!/usr/bin/env bash
# Puts Workers of this repository into a dispatch namespace.
set -euo pipefail
# shellcheck source=scripts/deploying.sh
source "$(dirname "${BASH_SOURCE[0]}")/deploying.sh"

usage() {
  cat <<'TEXT'
deploy-to-namespace.sh <service|all> <namespace>

Deploys one Worker, or all in the order of their bindings, into a dispatch namespace of scripts/worker-namespaces.json.
A service binding of a script in a namespace leads to the account's regular Worker of that name, never to a sibling in the
namespace; so deploy-all.sh comes first. Routes, crons and queue consumers belong to regular Workers and are left out.
TEXT
}

for argument in "$@"; do
  case $argument in
    -h | --help) usage && exit 0 ;;
  esac
done
[ $# -eq 2 ] || refuse "deploy-to-namespace.sh takes a service, or all, and a namespace; see --help"
service=$1
namespace=$2

require_install
namespaces=$(known_namespaces)
if ! grep -qxF -- "$namespace" <<<"$namespaces"; then
  # shellcheck disable=SC2086 # one name in a line becomes one word each
  refuse "no namespace is called $namespace; there are: $(listed $namespaces)"
fi
if [ "$service" = all ]; then
  order=$(deployment_order)
else
  order=$(deployment_order "$service")
fi

require_account "$order"
# Provisioning looks at the regular Worker of the same name, and would have this one inherit what only that one has.
deploy_each "into $namespace" "$order" --dispatch-namespace "$namespace" --experimental-provision=false
