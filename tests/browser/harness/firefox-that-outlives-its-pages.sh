#!/bin/sh
# geckodriver sets this variable, with which Firefox ends when one of its pages crashes, and can only be told to change its value.
unset MOZ_CRASHREPORTER_SHUTDOWN
exec "$TABWIRE_FIREFOX" "$@"
