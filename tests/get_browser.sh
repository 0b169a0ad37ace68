#!/bin/sh
# get_browser.sh BIN: makes sure that the browser tests find one: Debian's as root, else Playwright's.
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
exec "$1/python" -m playwright install chromium
