#!/bin/sh
case "$1" in
server) echo "listening on ${3%:*}:4711"; echo "took 12 ms"; exec sleep 1000 ;;
client) shift; echo "client $*"; cat ;;
*) echo "a scene" ;;
esac
