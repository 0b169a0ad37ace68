"""Imports from a real WordPress on this machine, by hand: `make test-wordpress`.

Needs Debian's packages wordpress php-cli php-mysql php-xml php-gd php-curl php-mbstring
mariadb-server-core mariadb-client-core. Installs a fresh site into a temporary folder (MariaDB on
a socket of its own, PHP's own server), fills it with 250 posts, then imports, changes, imports
again, and says what it saw. Everything it started is ended, everything it wrote is removed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ingest.corpus_files import read_document
from ingest.fetching import Fetcher
from ingest.importing import Report, import_all

WORDPRESS = Path("/usr/share/wordpress")
POSTS = 250

CONFIG = """<?php
define('DB_NAME', 'wp'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:%(socket)s'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY','SECURE_AUTH_KEY','LOGGED_IN_KEY','NONCE_KEY','AUTH_SALT','SECURE_AUTH_SALT','LOGGED_IN_SALT','NONCE_SALT'] as $k) define($k, 'only a test');
$table_prefix = 'wp_';
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_ENVIRONMENT_TYPE', 'local'); define('WP_HOME', '%(home)s'); define('WP_SITEURL', '%(home)s');
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

ROUTER = """<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = __DIR__ . $path;
if ($path !== '/' && is_file($file)) return false;
$_SERVER['SCRIPT_NAME'] = '/index.php'; $_SERVER['PHP_SELF'] = '/index.php';
chdir(__DIR__); require __DIR__ . '/index.php';
"""

INSTALL = """<?php
define('WP_INSTALLING', true);
require __DIR__ . '/wp-load.php'; require_once ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_mail() { return true; }
wp_install('Iron Orchard', 'maya', 'maya@example.org', true, '', 'secret-word');
global $wp_rewrite; $wp_rewrite->init(); $wp_rewrite->set_permalink_structure('/%postname%/'); flush_rewrite_rules();
wp_update_user(['ID' => 1, 'display_name' => 'Maya Okafor']);
wp_delete_post(1, true);
"""

STEP = """<?php
require __DIR__ . '/wp-load.php'; require_once ABSPATH . 'wp-admin/includes/export.php';
wp_set_current_user(1);
$step = json_decode(stream_get_contents(STDIN), true); $out = [];
foreach ($step as $do) {
  if ($do[0] === 'insert') { $out[] = wp_insert_post(wp_slash($do[1]), true); }
  elseif ($do[0] === 'update') { $out[] = wp_update_post(wp_slash($do[1]), true); }
  elseif ($do[0] === 'delete') { $out[] = (bool) wp_delete_post($do[1], true); }
  elseif ($do[0] === 'trash') { $out[] = (bool) wp_trash_post($do[1]); }
  elseif ($do[0] === 'name') { $out[] = wp_update_user(['ID' => 1, 'display_name' => $do[1]]); }
  elseif ($do[0] === 'tag') { $out[] = wp_set_post_tags($do[1], $do[2]); }
  elseif ($do[0] === 'export') { ob_start(); @export_wp(); file_put_contents($do[1], ob_get_clean()); $out[] = true; }
}
fwrite(STDOUT, "\\n#OUT" . json_encode($out));
"""

CLASSIC = 'Rest three minutes between hard sets \U0001f4aa, post %d.\n\nThe second paragraph of post %d stands alone.\n[missing_shortcode id="9"]'
BLOCKS = (
    "<!-- wp:paragraph --><p>Squats of post %d grew the legs (Kubo et al., 2019).</p><!-- /wp:paragraph -->"
    "<!-- wp:latest-posts /-->"
    "<!-- wp:heading --><h2>References</h2><!-- /wp:heading -->"
    '<!-- wp:list {"ordered":true} --><ol><li>Kubo, K., Ikebukuro, T., &amp; Yata, H. (2019). Effects of squat training '
    "with different depths on lower limb muscle volumes. <em>European Journal of Applied Physiology</em>, 119(9), "
    "1933–1942. https://doi.org/10.1007/s00421-019-04181-y</li></ol><!-- /wp:list -->"
)


class Blog:
    """A running site in `folder`."""

    def __init__(self, folder: Path, home: str) -> None:
        self.folder = folder
        self.home = home

    def do(self, *steps: list[object]) -> list[object]:
        """Runs changes inside WordPress; their results."""
        done = subprocess.run(
            ["php", "step.php"], cwd=self.folder, input=json.dumps(steps).encode(),
            capture_output=True, check=True,
        )  # fmt: skip
        answer: list[object] = json.loads(done.stdout.decode().rpartition("#OUT")[2])
        return answer


@contextmanager
def running(command: list[str], ready: Callable[[], bool], **options: object) -> Iterator[None]:
    """A process and its children, ended as a group: PHP's workers outlive their parent."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        **options,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        for _ in range(300):
            if ready():
                break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.1)
        else:
            raise SystemExit(f"{command[0]} did not start")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def blog() -> Iterator[Blog]:
    """A fresh WordPress, filled with nothing but its sample page."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wp-")))
        data, site, sock = folder / "data", folder / "site", folder / "db.sock"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True,
        )  # fmt: skip
        server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        user = ["--user=root"] if os.geteuid() == 0 else []
        stack.enter_context(
            running(
                [server, "--no-defaults", f"--datadir={data}", f"--socket={sock}", "--skip-networking",
                 f"--pid-file={folder / 'db.pid'}", "--innodb-flush-log-at-trx-commit=0", *user],
                sock.exists,
            )
        )  # fmt: skip
        subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={sock}", "-uroot", "-e", "CREATE DATABASE wp CHARACTER SET utf8mb4"],
            check=True,
        )  # fmt: skip
        shutil.copytree(WORDPRESS, site, symlinks=False, ignore_dangling_symlinks=True)
        port = free_port()
        home = f"http://127.0.0.1:{port}"
        (site / "wp-config.php").unlink(missing_ok=True)
        for name, text in {
            "wp-config.php": CONFIG % {"socket": sock, "home": home},
            "router.php": ROUTER, "install.php": INSTALL, "step.php": STEP,
        }.items():  # fmt: skip
            (site / name).write_text(text)
        subprocess.run(["php", "install.php"], cwd=site, check=True, capture_output=True)
        environment = {**os.environ, "PHP_CLI_SERVER_WORKERS": "4"}
        stack.enter_context(
            running(
                ["php", "-S", f"127.0.0.1:{port}", "-t", str(site), "router.php"],
                lambda: answers(port),
                cwd=site,
                env=environment,
            )
        )
        yield Blog(site, home)


def say(what: str, report: Report, seconds: float) -> dict[str, int]:
    counts = dict(Counter(i.action for i in report.items))
    print(f"{what:58} {counts} {seconds:.1f} s, exit {report.exit_code}")
    return counts


def index(corpus: Path, folder: Path) -> None:
    """Brings an index of the corpus up to date and says what was embedded."""
    from ingest.index import update_index
    from rag.settings import load_settings

    result = update_index(load_settings(corpus=corpus, index=folder))
    print(f"{'  index':58} {result.passages} passages, {result.embedded} embedded")


def main() -> int:
    missing = [name for name in ("php", "mariadb-install-db", "mariadb") if not shutil.which(name)]
    if missing or not WORDPRESS.is_dir():
        print(
            f"needs Debian's wordpress, php-cli and mariadb packages ({missing})", file=sys.stderr
        )
        return 1
    started = time.monotonic()
    with blog() as site, tempfile.TemporaryDirectory() as scratch:
        print(f"WordPress is up after {time.monotonic() - started:.0f} s")
        walk(site, Path(scratch))
    return 0


def walk(site: Blog, scratch: Path) -> None:
    """The story: fill, import, import again, change, import, export, import the export."""
    corpus, folder = scratch / "corpus", scratch / "index"

    def run(what: str, source: str = "", into: Path = corpus) -> dict[str, int]:
        fetcher, begun = Fetcher(allow_private=True), time.monotonic()
        report = import_all([source or f"{site.home}/"], into, fetcher=fetcher)
        fetcher.close()
        counts = say(what, report, time.monotonic() - begun)
        left = [i for i in report.items if i.action in {"removed", "skipped"}]
        for item in left[:4]:
            print(f"    {item.action}: {item.source}: {item.reason}")
        return counts

    posts = [
        ["insert", {"post_title": f"Post {n} & more", "post_status": "publish", "post_author": 1,
                    "post_content": BLOCKS % n if n % 2 else CLASSIC % (n, n)}]
        for n in range(1, POSTS + 1)
    ]  # fmt: skip
    ids = site.do(*posts)
    hidden = site.do(
        ["insert", {"post_title": "A draft", "post_status": "draft", "post_content": "never"}],
        ["insert", {"post_title": "Private", "post_status": "private", "post_content": "never"}],
        ["insert", {"post_title": "Locked", "post_status": "publish", "post_content": "never", "post_password": "x"}],
        ["insert", {"post_title": "Later", "post_status": "future", "post_content": "Scheduled words of a post.",
                    "post_date": "2036-01-01 10:00:00"}],
    )  # fmt: skip
    assert run("first import")["added"] == POSTS
    index(corpus, folder)
    assert run("again, nothing changed")["unchanged"] == POSTS
    index(corpus, folder)
    site.do(
        [
            "update",
            {"ID": ids[6], "post_content": "Rewritten words of one post, quite another text."},
        ]
    )
    assert run("one post rewritten")["updated"] == 1
    index(corpus, folder)
    site.do(["tag", ids[8], "plateaus"])
    assert run("a tag added (modified_gmt stays)")["updated"] == 1
    site.do(["name", "Maya Okafor-Reyes"])
    assert run("the author renamed (modified_gmt stays)")["updated"] == POSTS
    site.do(["update", {"ID": hidden[3], "post_status": "publish", "post_date": "2024-01-01 10:00:00",
                        "post_date_gmt": "2024-01-01 10:00:00", "edit_date": True}])  # fmt: skip
    assert run("the scheduled post goes live")["added"] == 1
    site.do(
        ["trash", ids[0]], ["delete", ids[1]], ["update", {"ID": ids[2], "post_status": "draft"}]
    )
    assert run("one trashed, one deleted, one back to draft")["removed"] == 3
    index(corpus, folder)
    check_cleaning(corpus)
    export = scratch / "export.xml"
    site.do(["export", str(export)])
    counts = run("the export file into another corpus", str(export), scratch / "other")
    assert counts["added"] == POSTS - 2, counts
    run("the export file into the same corpus", str(export))
    run("the feed, without its ten-item limit", f"{site.home}/feed/", scratch / "feed")
    run("one post's page", f"{site.home}/post-9-more/", scratch / "page")
    run("the sitemap", f"{site.home}/wp-sitemap-posts-post-1.xml", scratch / "map")


def check_cleaning(corpus: Path) -> None:
    for path in (corpus / "articles").glob("*.md"):
        body = read_document(path, "article").body
        assert "never" not in body
        assert "shortcode" not in body
        assert "Post " not in body, path
    odd = read_document(corpus / "articles" / "post-9-more.md", "article")
    assert odd.body.strip() == "Squats of post 9 grew the legs [@kubo-2019-effects-squat-training]."
    print(f"{'  cleaned as it should be':58} {odd.title!r} by {odd.meta['author']}")


if __name__ == "__main__":
    sys.exit(main())
