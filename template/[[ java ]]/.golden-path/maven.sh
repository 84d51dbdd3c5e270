#!/usr/bin/env bash
# usage: maven.sh VERSION DIRECTORY
# Puts the pinned Maven there. Any mvn on PATH fetches it, from whatever repositories and mirrors that one is set up for.
set -euo pipefail
version=$1
directory=$2
archive=apache-maven-$version-bin.tar.gz

command -v mvn >/dev/null || { echo "mvn is missing: install Maven 3.6.3 or newer; it fetches the pinned Maven $version" >&2; exit 1; }
expected=$(awk -v name="$archive" '$2 == name { print $1 }' .golden-path/locks/maven.sha512)
[ -n "$expected" ] || { echo ".golden-path/locks/maven.sha512 has no line for $archive" >&2; exit 1; }

# Elsewhere, so that this checkout's .mvn is not applied.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && mvn --batch-mode --no-transfer-progress org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy \
  -Dartifact="org.apache.maven:apache-maven:$version:tar.gz:bin" -DoutputDirectory="$work")

actual=$({ sha512sum "$work/$archive" 2>/dev/null || shasum -a 512 "$work/$archive"; } | cut -d ' ' -f 1)
[ "$actual" = "$expected" ] || { echo "$archive: the checksum is $actual, not that of .golden-path/locks/maven.sha512" >&2; exit 1; }
rm -rf "$directory"
mkdir -p "$directory"
tar -xzf "$work/$archive" -C "$directory" --strip-components 1
