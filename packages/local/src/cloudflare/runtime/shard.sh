#!/bin/sh
# Runs workerd on a leash: standard input ends when the program that started this ends, in whatever way, and then so does workerd.
# The watcher stays in workerd's process group, so the number it kills belongs to nobody else. Descriptor 3 is where workerd tells its ports.
exec 4<&0
(
  cat <&4
  kill -9 $$
) >/dev/null 2>&1 3>&- &
exec "$@" </dev/null 4<&-
