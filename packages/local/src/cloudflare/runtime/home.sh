#!/bin/sh
# Starts workerd with a debug port, which Miniflare has no option for.
exec "$HOME_WORKERD" "$@" "--debug-port=$HOME_DEBUG_PORT"
