#!/bin/sh
# Makes the rpm databases of this directory with the tools that write them in the field: rpm 4.18 (SQLite) and
# Berkeley DB 5.3 (`db_load`, which fills hash files with the same headers rpm put into SQLite).
#
# Wants rpm, rpmbuild, gpg, python3, db5.3_load and gzip. Dates and host names differ from run to run; nothing else.
set -eu

out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# spec NAME EXTRA-TAGS FILES
spec() {
    cat > "$1.spec" <<END
Name: $1
Version: 1.2
Release: 3
Summary: test package
License: Apache-2.0
BuildArch: noarch
$2
%description
Test package.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/$1/sub
echo x > %{buildroot}/usr/bin/$1
for n in \$(seq 1 $3); do echo \$n > %{buildroot}/usr/share/$1/sub/file-\$n; done
%files
/usr/bin/$1
/usr/share/$1
END
    rpmbuild --quiet --define "_topdir $work/top" --define "_buildhost example.org" -bb "$1.spec"
}
spec offcut-one "" 1
spec offcut-two "Epoch: 4
Requires: offcut-one >= 1.0, /usr/bin/offcut-one, libthree.so.1()(64bit), offcut-absent, (offcut-a if offcut-b)" 1
spec offcut-three "Provides: libthree.so.1()(64bit)" 120

export GNUPGHOME="$work/gpg"
mkdir -m 700 "$GNUPGHOME"
gpg --quiet --batch --passphrase '' --quick-generate-key 'Offcut Test <test@example.org>' rsa2048 sign never
gpg --quiet --armor --export > key.asc

rpm="rpm --root $work/root --dbpath /db"
mkdir root
$rpm --initdb
$rpm --import key.asc
$rpm -i --nodeps --force-debian top/RPMS/noarch/*.rpm 2> log || { cat log; exit 1; }
$rpm -qa --qf '%{EVR} %{NAME}\n' | sort

# Values as db_dump writes them, for db_load; the keys are numbers in the byte order of the file.
python3 - root/db/rpmdb.sqlite <<'END'
import sqlite3, sys

rows = list(sqlite3.connect(sys.argv[1]).execute("SELECT hnum, blob FROM Packages"))
for order, page, lorder in ("little", 4096, 1234), ("big", 16384, 4321):
    with open(order + ".dump", "w") as dump:
        dump.write(f"VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize={page}\ndb_lorder={lorder}\nHEADER=END\n")
        last = max(hnum for hnum, _ in rows)
        for hnum, blob in [(0, (last + 1).to_bytes(4, order))] + rows:
            dump.write(f" {hnum.to_bytes(4, order).hex()}\n {blob.hex()}\n")
        dump.write("DATA=END\n")
END
db5.3_load -f little.dump little
db5.3_load -f big.dump big

gzip -9nc root/db/rpmdb.sqlite > "$out/rpmdb.sqlite.gz"
gzip -9nc little > "$out/Packages.little.gz"
gzip -9nc big > "$out/Packages.big.gz"
