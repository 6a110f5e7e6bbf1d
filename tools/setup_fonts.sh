#!/bin/sh
# Install the fonts (and word lists) that the data maker draws with, from the Debian or Ubuntu archive.
# Usage: tools/setup_fonts.sh [--cjk-only | --latin-only]      run as root or with sudo
# Packages that the release at hand does not have are named and left out.
set -eu

LATIN="fonts-dejavu fonts-liberation fonts-freefont-ttf fonts-roboto-unhinted fonts-roboto-slab fonts-lato fonts-open-sans
fonts-noto-core fonts-noto-mono fonts-inconsolata fonts-urw-base35 fonts-cantarell fonts-hack fonts-firacode
fonts-crosextra-carlito fonts-crosextra-caladea fonts-anonymous-pro fonts-ocr-a fonts-ocr-b fonts-comfortaa fonts-fanwood
fonts-junicode fonts-cabin fonts-league-spartan fonts-ebgaramond fonts-linuxlibertine fonts-courier-prime fonts-bebas-neue
fonts-lobster fonts-play fonts-quicksand fonts-karla fonts-yanone-kaffeesatz fonts-monofur fonts-mononoki fonts-comic-neue
fonts-dosis fonts-croscore fonts-sil-gentium fonts-sil-andika fonts-sil-charis fonts-tlwg-mono fonts-vollkorn fonts-dustin
fonts-staypuft fonts-b612 fonts-spleen fonts-jetbrains-mono fonts-go fonts-stix fonts-texgyre fonts-national-park
fonts-adf-accanthis fonts-prociono fonts-goudybookletter fonts-rufscript"
CJK="fonts-noto-cjk fonts-noto-cjk-extra fonts-wqy-zenhei fonts-wqy-microhei fonts-arphic-ukai fonts-arphic-uming fonts-arphic-gbsn00lp
fonts-arphic-gkai00mp fonts-lxgw-wenkai fonts-smiley-sans fonts-babelstone-han fonts-cns11643-kai fonts-cns11643-sung"
WORDS="wamerican fortunes-min"

case "${1:-}" in
    "") wanted="$LATIN $CJK $WORDS" ;;
    --cjk-only) wanted="$CJK" ;;
    --latin-only) wanted="$LATIN $WORDS" ;;
    *) echo "usage: $0 [--cjk-only | --latin-only]" >&2; exit 2 ;;
esac
command -v apt-get >/dev/null || { echo "$0: needs apt-get; elsewhere install fonts by hand, any will do" >&2; exit 1; }

apt-get update -q
found=""
for package in $wanted; do
    if apt-cache show "$package" >/dev/null 2>&1; then
        found="$found $package"
    else
        echo "$0: this release has no $package" >&2
    fi
done
# shellcheck disable=SC2086  # a list of words is wanted
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $found
