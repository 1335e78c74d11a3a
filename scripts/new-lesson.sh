#!/usr/bin/env bash
# Makes the skeleton of a lesson: scripts/new-lesson.sh 8 who-is-calling
#
# It is the call of lesson 1 under a new number: a server, a client, a scene, checks
# with wrong and right programs, an exercise, tests. It plays and passes all house
# rules from the first minute. What you change from there is your lesson.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    echo "usage: scripts/new-lesson.sh NUMBER NAME, such as: scripts/new-lesson.sh 8 who-is-calling" >&2
    exit 2
}
[[ $# -eq 2 && $1 =~ ^[1-9][0-9]?$ && $2 =~ ^[a-z0-9]+(-[a-z0-9]+)*$ ]] || usage
number=$1 name=$2
title=${name//-/ }
folder=$(printf 'lessons/%02d-%s' "$number" "$name")
port=$((8080 + number)) next_port=$((8180 + number))
taken=$(compgen -G "$(printf 'lessons/%02d-*' "$number")" || true)
if [[ -n $taken ]]; then
    echo "lesson $number exists: $taken; take another number" >&2
    exit 1
fi

pattern=lessons/01-bare-connect
# What lesson 1 alone tests: the checker's own command line.
only_there=$pattern/tests/check.rs
git ls-files "$pattern" | grep -vxF "$only_there" | while read -r file; do
    to=$folder${file#"$pattern"}
    mkdir -p "$(dirname "$to")"
    # The number stands in names, in addresses of checks, and in what is printed.
    sed -E "
        s/(lesson[-_])1\b/\1$number/g
        s/([Ll]esson) 1\b/\1 $number/g
        s/\b01-bare-connect\b/${folder#lessons/}/g
        s/\b8081\b/$port/g
        s/\b8082\b/$next_port/g
        s/(^|[ \"])1\/([a-z]+\/)/\1$number\/\2/g
        s/\bnumber(:| =) 1\b/number\1 $number/g
    " "$file" >"$to"
    if [[ -x $file ]]; then chmod +x "$to"; fi
done
sed -i '/^mod check;$/d' "$folder/tests/main.rs"

idea="one call, to be made into your lesson"
sed -E -i "
    s/^description = .*/description = \"Lesson $number: $idea\"/
    s/^lesson = .*/lesson = $number/
    s/^title = .*/title = \"$title\"/
    s/^idea = .*/idea = \"$idea\"/
    s/^new = .*/new = [\"what no lesson before this has used\"]/
" "$folder/Cargo.toml"

cat >"$folder/README.md" <<README
# Lesson $number: $title

What this lesson is about, and how it differs from the one before.

## After this you can

- say, in a sentence that begins with a verb, what you could not do before.

## Minutes

30: what they are for.

## What is new

The calls and words that no lesson before this has used.

## Predict

Write your answers down before you run anything.

1. A question that the scene answers.

## Run it

\`cargo run -p lesson-$number\` plays all of it. Then play it yourself, in two terminals. The first:

\`\`\`console
\$ cargo run -q -p lesson-$number server
listening on 127.0.0.1:$port
\`\`\`

The second:

\`\`\`console
\$ cargo run -q -p lesson-$number client
\`\`\`

## What you saw and why

**The server is the telephone call.** What the code shows, and why it is so.

<!-- quote server.rs#run -->
\`\`\`rust
\`\`\`

## Break it

### Call nobody

What fails, and what the error says.

\`\`\`console
\$ cargo run -q -p lesson-$number client
\`\`\`

### Call a name that is none

\`\`\`console
\$ cargo run -q -p lesson-$number client --addr local..host:$port
\`\`\`

### A third experiment

What else can go wrong.

## What tutorials say

Claims that a run has judged: [the list of claims](../../docs/claims.md).

## Exercise

What your programs must do, including the edge cases. Begin with a server and a client that have gaps,
in Rust, or in Python with \`--lang python\`, and have them checked at every save.

\`\`\`sh
cargo dial start $number
cargo dial watch $number
\`\`\`

## Questions for the room

<details><summary>A question?</summary>

Its answer.

</details>

## On the board

\`\`\`text
   server                                   client
\`\`\`
README

minutes=$(sed -n 's/^minutes = //p' "$folder/Cargo.toml")
for table in README.md lessons/README.md; do
    before=$([[ $table == README.md ]] && echo lessons/ || true)
    row="| $number | [$title]($before${folder#lessons/}/README.md) | $idea | $minutes |"
    last=$(grep -nE '^\| [0-9]+ \| \[' "$table" | tail -1 | cut -d: -f1)
    sed -i "${last}a $row" "$table"
done

echo "$folder is made. Now:"
echo "  DIALTONE_UPDATE=1 cargo test -p lesson-$number readme   # its README gets what the programs print"
echo "  cargo run -p lesson-$number                             # play it"
echo "  cargo test -p lesson-$number && cargo test -p house     # all rules"
