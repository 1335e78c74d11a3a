#!/bin/sh
case "$1" in
server) echo "listening on ${3%:*}:4711"; echo "took 12 ms"; exec sleep 1000 ;;
client)
    shift
    echo "client $*"
    if [ "$3" = --into ]; then
        ls "$4"
        touch "$4/saved"
    fi
    cat
    ;;
*) echo "a scene" ;;
esac
