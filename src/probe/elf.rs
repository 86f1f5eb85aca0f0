//! Reads what an ELF file says about itself, from its first bytes and its dynamic section.
//!
//! The file is never held whole: its head is kept, the dynamic section is copied as it passes by, and the Go build
//! information is copied where its magic was seen. Section headers are not used: they stand at the end of the file,
//! and a stripped tool has none to speak of. Nothing in the file is trusted.

use std::ops::Range;

use goblin::{
    container::{Container, Ctx},
    elf::{
        dynamic::{DT_NEEDED, DT_RPATH, DT_RUNPATH, Dynamic},
        header::{ET_DYN, ET_EXEC, Header},
        program_header::{PT_DYNAMIC, PT_INTERP, ProgramHeader},
    },
};

use crate::model::{Elf, GoBuild};

/// Bytes of the head that are kept: the program headers and, in every linker's layout, the dynamic strings.
///
/// The largest dynamic string table that was measured, that of GCC 12's `cc1plus`, ends at 2.2 MiB.
pub const HEAD_MAX: usize = 4 << 20;

/// Largest dynamic section that is read, in bytes; a real one has some forty entries of 16 bytes.
const DYNAMIC_MAX: u64 = 64 << 10;

/// Longest text of all needed libraries of a file, or of all its search paths, in bytes, each counted with 16 more.
///
/// A dynamic section can name one long string thousands of times; real files stay below 4 KiB.
const NAMES_MAX: usize = 64 << 10;

/// Functions of the C library that start programs (POSIX.1-2017).
const STARTERS: [&[u8]; 12] = [
    b"execve",
    b"execv",
    b"execvp",
    b"execvpe",
    b"execl",
    b"execlp",
    b"execle",
    b"fexecve",
    b"posix_spawn",
    b"posix_spawnp",
    b"system",
    b"popen",
];

/// Largest table of dynamic strings that is searched for functions, in bytes.
const SYMBOLS_MAX: usize = 1 << 20;

/// Longest name of a loader, in bytes (`PATH_MAX` of Linux).
const INTERPRETER_MAX: u64 = 4096;

/// `DF_1_PIE` of `DT_FLAGS_1`: a position-independent program (Solaris linker guide, glibc `elf.h`).
const DF_1_PIE: u64 = 0x0800_0000;

/// The magic of the Go build information (`debug/buildinfo` of Go's standard library).
pub const GO_MAGIC: &[u8] = b"\xff Go buildinf:";

/// Bytes kept from a Go magic on; the main package's path stands right behind the version.
pub const GO_MAX: usize = 4096;

/// Where the program headers end in the file; `None` until the head holds the ELF header.
pub fn headers_end(head: &[u8]) -> Option<u64> {
    let header = goblin::elf::Elf::parse_header(head).ok()?;
    let size = u64::from(header.e_phentsize).checked_mul(u64::from(header.e_phnum))?;
    header.e_phoff.checked_add(size)
}

/// Where the dynamic section lies in the file, if the head tells.
pub fn dynamic_range(head: &[u8]) -> Option<Range<u64>> {
    let (_, programs, _) = headers(head)?;
    let dynamic = programs.iter().find(|p| p.p_type == PT_DYNAMIC)?;
    let end = dynamic.p_offset.checked_add(dynamic.p_filesz.min(DYNAMIC_MAX))?;
    Some(dynamic.p_offset..end)
}

/// Where the name of the loader lies, if that is behind what is kept of the head: tools that change it in a finished
/// file (patchelf) move it to the end.
pub fn interpreter_range(head: &[u8]) -> Option<Range<u64>> {
    let (_, programs, _) = headers(head)?;
    let interpreter = programs.iter().find(|p| p.p_type == PT_INTERP)?;
    let end = interpreter.p_offset.checked_add(interpreter.p_filesz.min(INTERPRETER_MAX))?;
    (end > HEAD_MAX as u64).then_some(interpreter.p_offset..end)
}

/// The text of a copied [`interpreter_range`]; `None` when it does not end.
pub fn interpreter(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|&b| b == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// Reads an ELF file from its head and the bytes of its dynamic section.
///
/// What can not be read is left out: a damaged dynamic section still leaves the file an ELF file. Returns `None` when
/// there is not even a header.
/// Format: System V gABI, chapters 4 and 5.
pub fn read(head: &[u8], dynamic: &[u8]) -> Option<Elf> {
    let (header, mut programs, ctx) = headers(head)?;
    let text = |start: u64, limit: u64| -> Option<String> {
        let bytes = head.get(usize::try_from(start).ok()?..)?;
        let bytes = bytes.get(..usize::try_from(limit).ok()?.min(bytes.len()))?;
        let end = bytes.iter().position(|&b| b == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    };
    let interpreter = programs
        .iter()
        .find(|p| p.p_type == PT_INTERP)
        .map(|p| text(p.p_offset, p.p_filesz.min(INTERPRETER_MAX)).unwrap_or_default());
    let mut elf = Elf {
        program: header.e_type == ET_EXEC || header.e_type == ET_DYN && interpreter.is_some(),
        machine: header.e_machine,
        wide: ctx.container.is_big(),
        interpreter,
        ..Elf::default()
    };

    // goblin finds the section through its program header: let that point to the copy behind the head.
    let mut view = Vec::with_capacity(dynamic.len());
    view.extend_from_slice(dynamic);
    programs.iter_mut().filter(|p| p.p_type == PT_DYNAMIC).for_each(|p| {
        p.p_offset = 0;
        p.p_filesz = dynamic.len() as u64;
    });
    if let Ok(Some(table)) = Dynamic::parse(&view, &programs, ctx) {
        let info = &table.info;
        let names = names(head, info.strtab as u64, info.strsz as u64);
        elf.starts_programs = any_of(names, &STARTERS);
        elf.loads_libraries = any_of(names, &[b"dlopen"]);
        let string = |at: u64| text((info.strtab as u64).checked_add(at)?, 4096).filter(|s| !s.is_empty());
        let needed = table.dyns.iter().filter(|d| d.d_tag == DT_NEEDED);
        elf.needed = within_limit(needed.filter_map(|d| string(d.d_val)));
        elf.soname = (info.soname != 0).then(|| string(info.soname as u64)).flatten();
        elf.rpath = !table.dyns.iter().any(|d| d.d_tag == DT_RUNPATH) && table.dyns.iter().any(|d| d.d_tag == DT_RPATH);
        let tag = if elf.rpath { DT_RPATH } else { DT_RUNPATH };
        let paths = table.dyns.iter().filter(|d| d.d_tag == tag).filter_map(|d| string(d.d_val));
        elf.runpath = within_limit(paths.flat_map(|p| p.split(':').map(str::to_string).collect::<Vec<_>>()));
        elf.program |= header.e_type == ET_DYN && info.flags_1 & DF_1_PIE != 0;
    }
    Some(elf)
}

/// The names of the dynamic symbols; `None` when they are not in the head, or too many to look at.
fn names(head: &[u8], start: u64, len: u64) -> Option<&[u8]> {
    let start = usize::try_from(start).ok()?;
    let len = usize::try_from(len).ok().filter(|len| *len <= SYMBOLS_MAX)?;
    head.get(start..start.checked_add(len)?)
}

/// Whether one of the names is there; what can not be read might have it.
fn any_of(names: Option<&[u8]>, wanted: &[&[u8]]) -> bool {
    names.is_none_or(|names| names.split(|&b| b == 0).any(|name| wanted.contains(&name)))
}

fn within_limit(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut left = NAMES_MAX;
    let room = |name: &String| match left.checked_sub(name.len() + 16) {
        Some(less) => {
            left = less;
            true
        }
        None => false,
    };
    names.take_while(room).collect()
}

fn headers(head: &[u8]) -> Option<(Header, Vec<ProgramHeader>, Ctx)> {
    let header = goblin::elf::Elf::parse_header(head).ok()?;
    let container = header.container().unwrap_or(Container::Big);
    let ctx = Ctx::new(container, header.endianness().ok()?);
    let offset = usize::try_from(header.e_phoff).ok()?;
    let programs = ProgramHeader::parse(head, offset, usize::from(header.e_phnum), ctx).unwrap_or_default();
    Some((header, programs, ctx))
}

/// Reads the Go build information from the bytes that start at its magic.
///
/// Only the form with inline strings is read (Go 1.18 and later); the older one holds addresses.
/// Format: `debug/buildinfo` of Go's standard library.
pub fn go_build(bytes: &[u8]) -> Option<GoBuild> {
    const INLINE: u8 = 2;
    const SENTINEL: usize = 16;

    if !bytes.starts_with(GO_MAGIC) || bytes.get(15)? & INLINE == 0 {
        return None;
    }
    let (version, rest) = string(bytes.get(32..)?)?;
    let (info, _) = string(rest)?;
    let version = std::str::from_utf8(version).ok()?;
    if !(version.starts_with("go") || version.starts_with("devel")) {
        return None;
    }
    let info = String::from_utf8_lossy(info.get(SENTINEL..).unwrap_or_default());
    let mut build = GoBuild { version: version.to_string(), ..GoBuild::default() };
    for line in info.lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["path", path] => build.path = path.to_string(),
            ["mod", module, version, ..] => build.module = Some((module.to_string(), version.to_string())),
            ["dep", ..] => break,
            _ => {}
        }
    }
    Some(build)
}

/// A length as a varint, and that many bytes; fewer when the copy was cut.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut len = 0_usize;
    for (at, &byte) in bytes.iter().take(5).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            let rest = &bytes[at + 1..];
            return Some(rest.split_at(len.min(rest.len())));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 64-bit ELF program, made by hand: header, three program headers, strings, dynamic section.
    fn program() -> Vec<u8> {
        let strings = b"\0libbfd-2.40-system.so\0libc.so.6\0$ORIGIN/../lib:/opt/lib\0/lib64/ld-linux-x86-64.so.2\0";
        let at =
            |needle: &[u8]| strings.windows(needle.len()).position(|w| w == needle).expect("in the strings") as u64;
        let (table, dynamic_at) = (0x200_u64, 0x400_u64);
        let mut dynamic = Vec::new();
        for (tag, value) in
            [(1, at(b"libbfd")), (1, at(b"libc")), (29, at(b"$ORIGIN")), (5, table), (10, 0x100), (0, 0)]
        {
            dynamic.extend_from_slice(&u64::to_le_bytes(tag));
            dynamic.extend_from_slice(&value.to_le_bytes());
        }
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        for (value, size) in [
            (3, 2),
            (62, 2),
            (1, 4),
            (0, 8),
            (64, 8),
            (0, 8),
            (0, 4),
            (64, 2),
            (56, 2),
            (3, 2),
            (64, 2),
            (0, 2),
            (0, 2),
        ] {
            file.extend_from_slice(&u64::to_le_bytes(value)[..size]);
        }
        let interpreter = table + at(b"/lib64");
        for (kind, offset, size) in [(1_u32, 0, 0x600), (3, interpreter, 28), (2, dynamic_at, dynamic.len() as u64)] {
            file.extend_from_slice(&kind.to_le_bytes());
            file.extend_from_slice(&4_u32.to_le_bytes());
            for value in [offset, offset, offset, size, size, 8] {
                file.extend_from_slice(&u64::to_le_bytes(value));
            }
        }
        file.resize(table as usize, 0);
        file.extend_from_slice(strings);
        file.resize(dynamic_at as usize, 0);
        file.extend_from_slice(&dynamic);
        file
    }

    #[test]
    fn libraries_and_interpreter_are_read_from_a_program() {
        let file = program();
        let range = dynamic_range(&file[..0x200]).expect("a dynamic section");
        assert_eq!(range.start, 0x400);
        let elf = read(&file[..0x300], &file[0x400..]).expect("an ELF file");
        assert!(elf.program);
        assert_eq!(elf.needed, ["libbfd-2.40-system.so", "libc.so.6"]);
        assert_eq!(elf.runpath, ["$ORIGIN/../lib", "/opt/lib"]);
        assert!(elf.wide && !elf.rpath);
        assert_eq!(elf.interpreter.as_deref(), Some("/lib64/ld-linux-x86-64.so.2"));
        assert_eq!(elf.soname, None);
    }

    #[test]
    fn a_file_cut_short_or_damaged_anywhere_never_panics() {
        let file = program();
        for cut in 0..file.len() {
            let _ = read(&file[..cut], &file[cut.min(0x400)..]);
        }
        for at in 0..file.len() {
            for value in [0, 0x7f, 0xff] {
                let mut broken = file.clone();
                broken[at] = value;
                let range = dynamic_range(&broken).unwrap_or(0x400..0x480);
                let clamp = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(broken.len());
                let dynamic = broken.get(clamp(range.start)..clamp(range.end)).unwrap_or_default();
                let _ = read(&broken, dynamic);
            }
        }
    }

    fn go_info(path: &str) -> Vec<u8> {
        let text = format!("path\t{path}\nmod\texample.org/shop\t(devel)\t\ndep\tx\tv1\n");
        let mut bytes = [GO_MAGIC, &[8, 2], &[0; 16]].concat();
        for value in ["go1.22.1".as_bytes(), &[&[b'0'; 16], text.as_bytes(), &[b'1'; 16]].concat()] {
            bytes.push(value.len() as u8);
            bytes.extend_from_slice(value);
        }
        bytes
    }

    #[test]
    fn the_main_package_of_a_go_program_is_read() {
        let build = go_build(&go_info("cmd/compile")).expect("build information");
        assert_eq!((build.version.as_str(), build.path.as_str()), ("go1.22.1", "cmd/compile"));
        assert_eq!(build.module, Some(("example.org/shop".into(), "(devel)".into())));
    }

    #[test]
    fn the_magic_as_a_string_in_a_program_is_no_build_information() {
        assert_eq!(go_build(b"\xff Go buildinf:not a Go file, and some more text behind it"), None);
        for cut in 0..go_info("cmd/go").len() {
            let _ = go_build(&go_info("cmd/go")[..cut]);
        }
    }
}
