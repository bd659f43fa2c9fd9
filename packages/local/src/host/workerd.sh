#!/bin/sh
# Starts workerd and notes its process id, which Miniflare keeps to itself. Ctrl-C reaches every process of a terminal; workerd ends when its host says so, not before.
trap '' INT HUP
[ -z "$LOCAL_WORKERD_PID_FILE" ] || echo $$ >"$LOCAL_WORKERD_PID_FILE"
exec "$LOCAL_WORKERD" "$@"
