#!/usr/bin/env bash
# Shows a lesson to a class: server, client and a free pane, side by side in tmux.
#   scripts/classroom.sh 1
#   scripts/classroom.sh 3 --to 127.0.0.1:7788     (more goes to the client)
set -euo pipefail

usage() {
    echo "usage: scripts/classroom.sh LESSON [CLIENT ARGUMENT …], for example: scripts/classroom.sh 1" >&2
    exit 2
}

[[ $# -ge 1 && $1 =~ ^[0-9]+$ ]] || usage
lesson=$1
shift
if ! command -v tmux >/dev/null; then
    echo "classroom.sh needs tmux: install it, or open two terminals yourself" >&2
    exit 1
fi
cd "$(dirname "$0")/.."
if ! compgen -G "lessons/$(printf '%02d' "$((10#$lesson))")-*" >/dev/null; then
    echo "there is no lesson $lesson: see \"cargo dial list\"" >&2
    exit 2
fi

# A lesson that does not compile is to be seen before tmux opens.
cargo build --quiet --package "lesson-$lesson"

# Types into a pane once its shell has shown a prompt; earlier keys would be
# echoed twice.
type_into() {
    local pane=$1 tries=50
    shift
    until [[ -n $(tmux capture-pane -p -t "$pane" | tr -d '[:space:]') ]] || ((--tries == 0)); do
        sleep 0.05
    done
    tmux send-keys -t "$pane" "$@"
}

session="dialtone-$lesson-$$"
client="cargo run -q -p lesson-$lesson client"
for argument in "$@"; do
    client+=" $(printf '%q' "$argument")"
done
tmux new-session -d -s "$session" -x "$(tput cols 2>/dev/null || echo 120)" -y "$(tput lines 2>/dev/null || echo 40)"
tmux set-option -t "$session" mouse on >/dev/null
server_pane=$(tmux display-message -p -t "$session" '#{pane_id}')
# The panes have their size before anything is typed: what is wrapped later loses
# its first line at 80 columns.
client_pane=$(tmux split-window -h -P -F '#{pane_id}' -t "$server_pane")
free_pane=$(tmux split-window -v -P -F '#{pane_id}' -t "$client_pane")
type_into "$server_pane" "cargo run -q -p lesson-$lesson server" Enter
# The client's line is typed but not sent: the class predicts, then you press Enter.
type_into "$client_pane" "$client"
type_into "$free_pane" "ss -tuan | head -20"
tmux select-pane -t "$client_pane"
if [[ -n ${TMUX:-} ]]; then
    exec tmux switch-client -t "$session"
fi
tmux attach -t "$session"
if tmux has-session -t "$session" 2>/dev/null; then
    echo "Server and client go on. Back to them: tmux attach -t $session"
    echo "To end them: tmux kill-session -t $session"
fi
