#!/usr/bin/env bash
# usage: jdk.sh VERSION
# Prints the home of the JDK to use: JAVA_HOME, or else that of the java on PATH.
set -euo pipefail
need=$1
found=
for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)"; do
  [ -n "$java" ] || continue
  if [ ! -x "$java" ]; then
    found="${found:+$found, }no $java"
    continue
  fi
  properties=$("$java" -XshowSettings:properties -version 2>&1) || continue
  version=$(sed -n 's/^ *java\.version = //p' <<<"$properties")
  home=$(sed -n 's/^ *java\.home = //p' <<<"$properties")
  if [ "${version%%[.-]*}" = "$need" ] && [ -x "$home/bin/javac" ]; then
    printf '%s\n' "$home"
    exit 0
  fi
  found="${found:+$found, }$version in $home"
done
echo "JDK $need is needed, found ${found:-none}: install it (for example Eclipse Temurin $need) and set JAVA_HOME to it" >&2
exit 1
