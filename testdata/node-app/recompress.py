#!/usr/bin/env python3
"""Recompresses the layers of an OCI image layout with zstd and packs the layout as an archive.

usage: recompress.py LAYOUT ARCHIVE

skopeo can write zstd layers too, but not at the levels that keep this archive small enough for a source repository.
The content of every layer, and so every diffID and the configuration, stays what the engine wrote.
"""

import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile

ZSTD = ["zstd", "--quiet", "--ultra", "-22", "--zstd=wlog=25", "--stdout"]


def main(layout, archive):
    blobs = layout / "blobs" / "sha256"
    kept = {}

    def keep(data):
        name = hashlib.sha256(data).hexdigest()
        kept[name] = data
        return {"digest": f"sha256:{name}", "size": len(data)}

    def read(descriptor):
        return (blobs / descriptor["digest"].removeprefix("sha256:")).read_bytes()

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(read(index["manifests"][0]))
    config = read(manifest["config"])
    manifest["config"].update(keep(config))
    diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    for layer, diff_id in zip(manifest["layers"], diff_ids, strict=True):
        raw = gzip.decompress(read(layer))
        if diff_id != "sha256:" + hashlib.sha256(raw).hexdigest():
            raise SystemExit(f"layer {layer['digest']} is not {diff_id}")
        packed = subprocess.run(ZSTD, input=raw, stdout=subprocess.PIPE, check=True).stdout
        layer.update(keep(packed), mediaType="application/vnd.oci.image.layer.v1.tar+zstd")
    index["manifests"][0].update(keep(json.dumps(manifest, separators=(",", ":")).encode()))

    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as out:
        add(out, "oci-layout", (layout / "oci-layout").read_bytes())
        add(out, "index.json", json.dumps(index, separators=(",", ":")).encode())
        for name, data in kept.items():
            add(out, f"blobs/sha256/{name}", data)


def add(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    archive.addfile(member, io.BytesIO(data))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
