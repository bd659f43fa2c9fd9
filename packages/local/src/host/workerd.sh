#!/bin/sh
# Starts workerd and notes its process id, which Miniflare keeps to itself. Ctrl-C reaches every process of a terminal; workerd ends when its host says so, not before.
trap '' INT HUP
[ -z "$LOCAL_WORKERD_PID_FILE" ] || echo $$ >"$LOCAL_WORKERD_PID_FILE"
# Published workers, which run in processes of their own, reach the platform's Workers by this port.
[ -z "$LOCAL_WORKERD_DEBUG_ADDRESS" ] || set -- "$@" "--debug-port=$LOCAL_WORKERD_DEBUG_ADDRESS"
exec "$LOCAL_WORKERD" "$@"
