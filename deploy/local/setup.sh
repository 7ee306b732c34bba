#!/usr/bin/env bash
# Make .venv with the pinned packages; install missing system packages as root on Debian or Ubuntu.
#   deploy/local/setup.sh demo|test
set -euo pipefail
cd "$(dirname "$0")/../.."
purpose="${1:-demo}"
say() { printf '  %s\n' "$*"; }

need=()
python=""
for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python="$candidate"
        break
    fi
done
[ -n "$python" ] || need+=(python3 python3-venv)
if [ -n "$python" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then need+=(python3-venv); fi
if [ "$purpose" = test ]; then
    command -v chromium >/dev/null || need+=(chromium)
    command -v msgfmt >/dev/null || need+=(gettext)
    [ -n "$(find /usr/share/fonts -iname '*cjk*' -print -quit 2>/dev/null)" ] || need+=(fonts-noto-cjk)
fi

if [ "${#need[@]}" -gt 0 ]; then
    line="apt-get install -y --no-install-recommends ${need[*]}"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing system packages: ${need[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        $line -qq >/dev/null
    else
        echo "Missing: ${need[*]}. Please run this line once, then try again:" >&2
        echo "    sudo apt-get update && sudo $line" >&2
        exit 1
    fi
    python="${python:-python3}"
fi

case "$purpose" in
    demo) lists=(requirements.txt requirements-extras/embedded.txt) ;;
    test) lists=(requirements-dev.txt) ;;
    *) echo "usage: deploy/local/setup.sh demo|test" >&2; exit 2 ;;
esac
want="$(cat requirements.txt requirements-extras/embedded.txt "${lists[@]}" | sha256sum | cut -d' ' -f1)"
stamp=".venv/.installed-$purpose"
if [ ! -x .venv/bin/python ]; then
    say "Making the virtual environment .venv"
    "$python" -m venv .venv
fi
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
    say "Installing the pinned packages (once; about a minute)"
    arguments=()
    for list in "${lists[@]}"; do arguments+=(-r "$list"); done
    .venv/bin/python -m pip install -qq --disable-pip-version-check "${arguments[@]}"
    echo "$want" >"$stamp"
fi
