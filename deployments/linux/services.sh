#!/usr/bin/env bash
# Installs, upgrades or removes Tonspur's systemd units: services.sh install|upgrade|uninstall
# May run any number of times. README.md beside it says what it does.
set -euo pipefail

readonly HOME_DIR=/opt/tonspur
readonly PYTHON=$HOME_DIR/.venv/bin/python
readonly UNITS=/etc/systemd/system
readonly SHARED=tonspur-.service.d
readonly SETTINGS=/etc/tonspur
readonly STATE=/var/lib/tonspur
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    echo "$1" >&2
    exit 2
}

install_package() {
    [ -x "$PYTHON" ] || python3 -m venv "$HOME_DIR/.venv"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed."
    "$PYTHON" -m pip install --quiet --editable "$HOME_DIR"
    # The services may not write here: without this each flow run would compile everything again.
    (cd "$HOME_DIR" && "$PYTHON" -m compileall -q deployments engine flows sandbox tasks tonspur.py)
}

make_user() {
    id tonspur >/dev/null 2>&1 ||
        useradd --system --user-group --home-dir "$STATE" --shell /usr/sbin/nologin tonspur
    install -d -m 0750 -o tonspur -g tonspur "$STATE"
}

# Where settings lie that nobody but root and the services reads; what is there is left as it is.
make_settings() {
    install -d -m 0750 -o root -g tonspur "$SETTINGS"
    if [ ! -e "$SETTINGS/tonspur.env" ]; then
        install -m 0640 -o root -g tonspur /dev/null "$SETTINGS/tonspur.env"
        {
            echo "LIBRARY_DIR=$STATE/library"
            echo "STATE_DIR=$STATE/state"
            echo "CHANNELS_FILE=$SETTINGS/channels.yaml"
            echo
            cat "$HOME_DIR/.env.example"
        } >"$SETTINGS/tonspur.env"
    fi
    [ -e "$SETTINGS/channels.yaml" ] ||
        install -m 0640 -o root -g tonspur "$HOME_DIR/deployments/channels.yaml" "$SETTINGS/"
    ln -sfn "$SETTINGS/tonspur.env" "$STATE/.env" # so that commands of yours read the same
}

install_units() {
    install -m 0644 "$here"/tonspur*.service "$here/tonspur.target" "$UNITS/"
    install -D -m 0644 "$here/$SHARED/shared.conf" "$UNITS/$SHARED/shared.conf"
    systemctl daemon-reload
}

start() {
    systemctl enable --quiet tonspur.target tonspur-{server,engine,worker}.service
    systemctl restart tonspur.target
    echo "Tonspur runs: systemctl status 'tonspur-*'"
}

case "${1:-}" in
install | upgrade | uninstall) ;;
*) fail "Usage: services.sh install|upgrade|uninstall" ;;
esac
[ "$(id -u)" = 0 ] || fail "This needs root: sudo $0 $1"

case "$1" in
install)
    [ "$here" = "$HOME_DIR/deployments/linux" ] ||
        fail "Clone Tonspur to $HOME_DIR and call it there."
    make_user
    make_settings
    install_package
    install_units
    start
    ;;
upgrade)
    systemctl stop tonspur.target
    trap start EXIT # also the old version, where the new one cannot be installed
    git -C "$HOME_DIR" pull --ff-only
    make_settings
    install_package
    "$PYTHON" -m pip install --quiet --upgrade "yt-dlp[default,deno]" # YouTube changes all the time
    install_units
    ;;
uninstall)
    [ ! -e "$UNITS/tonspur.target" ] ||
        systemctl disable --now --quiet tonspur.target tonspur-{server,engine,worker}.service
    rm -f "$UNITS"/tonspur-{server,engine,worker}.service "$UNITS/tonspur.target"
    rm -f "$UNITS/$SHARED/shared.conf"
    [ ! -d "$UNITS/$SHARED" ] || rmdir --ignore-fail-on-non-empty "$UNITS/$SHARED"
    systemctl daemon-reload
    echo "The units are gone. Kept: $STATE (library, state), $SETTINGS, $HOME_DIR, the user tonspur."
    ;;
esac
