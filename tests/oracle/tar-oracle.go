// Says what Go's archive/tar makes of tar streams, for the test tar_go.
//
// Standard input: streams, each as its length (4 bytes, lowest first) and its bytes. Standard output, for each stream:
//
//	E <flag> <size> <name> <link> <mode> <uid> <gid> <major> <minor> <xattrs>
//	B <CRC-32 of the expanded body>, or "B ?" for a sparse file too large to expand
//
// for every entry, then "ok" or "error". Names are hexadecimal, numbers are cut to what an engine uses.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sort"
	"strings"
)

// Larger sparse files are not expanded.
const expandMax = 1 << 20

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for {
		var size uint32
		if err := binary.Read(in, binary.LittleEndian, &size); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		stream := make([]byte, size)
		if _, err := io.ReadFull(in, stream); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		// Engines read from pipes, so the reader must not be one that can seek.
		if err := list(struct{ io.Reader }{bytes.NewReader(stream)}, out); err != nil {
			fmt.Fprintln(out, "error")
		} else {
			fmt.Fprintln(out, "ok")
		}
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

func list(stream io.Reader, out io.Writer) error {
	archive := tar.NewReader(stream)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if size := entry(header, out); size > expandMax && isSparse(header) {
			fmt.Fprintln(out, "B ?")
			continue
		}
		sum := crc32.NewIEEE()
		if _, err := io.Copy(sum, archive); err != nil {
			return err
		}
		fmt.Fprintf(out, "B %08x\n", sum.Sum32())
	}
}

// entry prints an entry and returns its size.
func entry(header *tar.Header, out io.Writer) int64 {
	size, name := header.Size, header.Name
	var major, minor uint32
	if header.Typeflag == tar.TypeChar || header.Typeflag == tar.TypeBlock {
		major, minor = uint32(header.Devmajor), uint32(header.Devminor)
	}
	switch header.Typeflag {
	case tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo:
		size = 0 // Go reports the field but never reads a body
	case tar.TypeXGlobalHeader:
		if header.PAXRecords == nil {
			// A record was wrong, and chance decided which others were applied.
			name, header.Xattrs = "", nil
		}
	}
	fmt.Fprintf(out, "E %02x %d %x %x %d %d %d %d %d %s\n", header.Typeflag, size, name, header.Linkname,
		uint32(header.Mode), uint32(header.Uid), uint32(header.Gid),
		major, minor, xattrs(header))
	return size
}

func xattrs(header *tar.Header) string {
	var all []string
	for name, value := range header.Xattrs {
		all = append(all, fmt.Sprintf("%x=%x", name, value))
	}
	sort.Strings(all)
	return strings.Join(all, ",")
}

func isSparse(header *tar.Header) bool {
	if header.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
