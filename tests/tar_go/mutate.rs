//! Changes archives where it hurts, and seals the changed headers again so that the checksum hides nothing.

use crate::testing::record;

/// Numbers that look random and are the same in every run (xorshift64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to `end - 1`.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.next() >> 16) % end as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// One of the seeds, changed in one to four ways.
pub fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut stream = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        change(&mut stream, seeds, random);
    }
    stream
}

fn change(stream: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let headers = headers(stream);
    let Some(&at) = headers.get(random.below(headers.len().max(1))) else {
        return stream.extend_from_slice(&seeds[random.below(seeds.len())]);
    };
    match random.below(14) {
        0..=3 => in_header(stream, at, random, set_field),
        4 => in_header(stream, at, random, |block, random| block[random.below(512)] = random.next() as u8),
        5 => in_header(stream, at, random, |block, random| block[random.below(512)] ^= 1 << random.below(8)),
        6 => in_header(stream, at, random, set_sparse_field),
        7 | 8 => insert(stream, at, &extension(random)),
        9 => edit_behind(stream, at, random),
        10 => stream.truncate(random.below(stream.len() + 1)),
        11 => {
            let blocks = stream.len() / 512;
            let from = 512 * random.below(blocks);
            let block = if random.one_in(2) { vec![0; 512] } else { stream[from..from + 512].to_vec() };
            insert(stream, 512 * random.below(blocks + 1), &block);
        }
        12 => {
            let from = 512 * random.below(stream.len() / 512);
            stream.drain(from..from + 512);
        }
        _ => {
            let other = &seeds[random.below(seeds.len())];
            let cut = 512 * random.below(stream.len() / 512 + 1);
            stream.truncate(cut);
            stream.extend_from_slice(other);
        }
    }
    // Several splices must not add up to more than is quick to read.
    stream.truncate(128 * 1024);
}

/// Where blocks are that pass as headers.
fn headers(stream: &[u8]) -> Vec<usize> {
    let sealed = |block: &[u8]| {
        let field = block[148..156].iter().filter(|byte| byte.is_ascii_digit());
        let sum = field.fold(0u64, |sum, byte| sum.wrapping_mul(8) + u64::from(byte - b'0'));
        sum == unsigned_sum(block)
    };
    stream.chunks_exact(512).enumerate().filter(|(_, block)| sealed(block)).map(|(at, _)| 512 * at).collect()
}

fn in_header(stream: &mut [u8], at: usize, random: &mut Random, change: impl Fn(&mut [u8], &mut Random)) {
    let block = &mut stream[at..at + 512];
    change(block, random);
    if random.one_in(40) {
        return;
    }
    let mut sum = unsigned_sum(block);
    if random.one_in(10) {
        let high = |bytes: &[u8]| bytes.iter().filter(|byte| !byte.is_ascii()).count() as u64;
        sum = sum.wrapping_sub(256 * (high(block) - high(&block[148..156])));
    }
    let text = match random.below(12) {
        0 => format!("{sum:08o}"),
        1 => format!("{sum:7o}\0"),
        2 => format!(" {sum:o} \0\0\0\0\0\0"),
        3 => format!("{sum:o}\0"),
        _ => format!("{sum:06o}\0 "),
    };
    for (to, from) in block[148..156].iter_mut().zip(text.bytes()) {
        *to = from;
    }
}

fn unsigned_sum(block: &[u8]) -> u64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    sum(block) - sum(&block[148..156]) + 8 * 32
}

fn set_field(block: &mut [u8], random: &mut Random) {
    const NUMBERS: [(usize, usize); 9] =
        [(100, 8), (108, 8), (116, 8), (124, 12), (124, 12), (136, 12), (329, 8), (337, 8), (345, 12)];
    match random.below(10) {
        0..=3 => {
            let (at, len) = NUMBERS[random.below(NUMBERS.len())];
            let number = number_field(len, random);
            put(&mut block[at..at + len], &number);
        }
        4 | 5 => {
            block[156] = *random
                .pick(&[b"\0", b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"x", b"g", b"L", b"K", b"S"])
                .first()
                .unwrap_or(&b'X')
        }
        6 => put(
            &mut block[257..265],
            random.pick(&[
                &b"ustar\x0000"[..],
                b"ustar  \0",
                b"ustar   ",
                b"\0\0\0\0\0\0\0\0",
                b"ustar\0\0\0",
                b"Ustar\x0000",
            ]),
        ),
        7 => put(&mut block[508..512], random.pick(&[b"tar\0", b"\0\0\0\0"])),
        8 => {
            let at = *random.pick(&[&0, &157, &345]);
            put(
                &mut block[at..],
                random.pick(&[&b"a/\0"[..], b"\0", b"/", b"../x\0", b"\xff\xfe\0", b"dir//\0", &[b'n'; 155]]),
            );
        }
        _ => {
            let at = *random.pick(&[&345, &357, &476, &488]);
            let number = number_field(12, random);
            put(&mut block[at..at + 12], &number);
        }
    }
}

fn set_sparse_field(block: &mut [u8], random: &mut Random) {
    match random.below(8) {
        0 => block[156] = b'S',
        1 => block[482] = random.below(2) as u8,
        2 => put(&mut block[257..265], b"ustar  \0"),
        3 => put(&mut block[483..495], &number_field(12, random)),
        _ => {
            let at = 386 + 12 * random.below(8);
            put(&mut block[at..at + 12], &number_field(12, random));
        }
    }
}

fn number_field(len: usize, random: &mut Random) -> Vec<u8> {
    let small = random.below(3000) as u64;
    let mut binary = vec![0; len - 8];
    binary.extend_from_slice(&small.to_be_bytes());
    match random.below(17) {
        0 => vec![0; len],
        1 => vec![b' '; len],
        2 => vec![0xff; len],
        3 => format!("-{small:o}\0").into_bytes(),
        4 => format!("{small:o}8\0").into_bytes(),
        5 => format!("+{small:o}\0").into_bytes(),
        6 => format!("  {small:o} \0").into_bytes(),
        7 => [b"\0", format!("{small:o}").as_bytes(), b"\x001"].concat(),
        8 => vec![b'7'; len],
        9 => {
            binary[0] |= 0x80;
            binary
        }
        10 => {
            binary[0] |= 0x80;
            binary[len - 8] |= random.next() as u8;
            binary
        }
        16 => [&b"\0junk"[..], &vec![0; len - 5]].concat(),
        11 => binary.iter().map(|byte| !byte).collect(),
        _ => format!("{small:0width$o}\0", width = len - 1).into_bytes(),
    }
}

fn put(field: &mut [u8], bytes: &[u8]) {
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
}

fn insert(stream: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let at = at.min(stream.len());
    stream.splice(at..at, bytes.iter().copied());
}

/// A PAX header or a GNU long name with odd contents.
fn extension(random: &mut Random) -> Vec<u8> {
    let flag = *random.pick(&[&b'x', &b'x', &b'x', &b'x', &b'g', &b'L', &b'K']);
    let body = match flag {
        b'L' | b'K' => random.pick(&[&b"long/name\0"[..], b"long/dir/\0", b"", b"\0", b"no end", b"a\0b"]).to_vec(),
        _ if random.one_in(3) => sparse_records(random),
        _ => (0..random.below(6)).flat_map(|_| odd_record(random)).collect(),
    };
    crate::testing::item(flag, b"extension").body(&body).bytes()
}

/// Records that make a sparse file together, some missing, some twice, some odd.
fn sparse_records(random: &mut Random) -> Vec<u8> {
    const RECORDS: [&[(&str, &str)]; 4] = [
        &[("size", "7"), ("realsize", "9"), ("numblocks", "1"), ("map", "1,1"), ("major", "0"), ("minor", "1")],
        &[("size", "9"), ("numblocks", "2"), ("offset", "0"), ("numbytes", "1"), ("offset", "5"), ("numbytes", "0")],
        &[("realsize", "9"), ("map", "0,1"), ("numblocks", "1"), ("offset", "2"), ("numbytes", "1"), ("name", "real")],
        &[("major", "1"), ("minor", "0"), ("name", "real"), ("realsize", "1000"), ("size", "1000")],
    ];
    const VALUES: [&str; 12] = ["0", "1", "2", "1,1", "0,1,4", "0,1,4,0", "", "-1", "4", "9", "10", "600"];
    let mut out = Vec::new();
    for (key, value) in RECORDS[random.below(RECORDS.len())] {
        let key = format!("GNU.sparse.{key}");
        let value = if random.one_in(8) { random.pick(&VALUES) } else { value };
        if !random.one_in(8) {
            out.extend(record(&key, value.as_bytes()));
        }
        if random.one_in(16) {
            out.extend(odd_record(random));
        }
    }
    out
}

fn odd_record(random: &mut Random) -> Vec<u8> {
    const KEYS: [&str; 22] = [
        "path",
        "linkpath",
        "uid",
        "gid",
        "size",
        "size",
        "mtime",
        "atime",
        "ctime",
        "uname",
        "gname",
        "comment",
        "SCHILY.xattr.a",
        "SCHILY.xattr.",
        "GNU.sparse.name",
        "GNU.sparse.major",
        "GNU.sparse.minor",
        "GNU.sparse.size",
        "GNU.sparse.realsize",
        "GNU.sparse.numblocks",
        "GNU.sparse.map",
        "",
    ];
    let small = random.below(1200).to_string();
    let key = match random.below(8) {
        0 => random.pick(&["GNU.sparse.offset", "GNU.sparse.numbytes", "GNU.sparse.offset"]),
        _ => KEYS[random.below(KEYS.len())],
    };
    let value = match key {
        "path" | "linkpath" | "uname" | "GNU.sparse.name" => {
            random.pick(&[&b"new"[..], b"dir/", b"", b"a\0b", b"a=b\n", b"\xff", b"/../x"])
        }
        "GNU.sparse.major" | "GNU.sparse.minor" => random.pick(&[&b"0"[..], b"0", b"1", b"1", b"", b"2", b"00"]),
        "GNU.sparse.numblocks" => random.pick(&[&b"0"[..], b"1", b"2", b"-1", b"", b"4611686018427387904", b"x"]),
        "GNU.sparse.map" => {
            random.pick(&[&b"0,1"[..], b"", b"0,1,3,2", b"1,1,0,1", b"0", b",", b"0,-1", b"5,9223372036854775807"])
        }
        "mtime" | "atime" | "ctime" => random.pick(&[&b"1.5"[..], b"1", b"1e30", b"-1.", b".5", b"1.x", b""]),
        _ if random.one_in(3) => {
            random.pick(&[&b"-1"[..], b"+7", b"", b"9223372036854775807", b"9223372036854775808", b"0x1", b" 1", b"1 "])
        }
        _ => small.as_bytes(),
    };
    let mut record = record(key, value);
    if random.one_in(20) {
        let at = random.below(record.len());
        record[at] = *random.pick(&[&b'0', &b'1', &b' ', &b'=', &b'\n', &0, &b'9']);
    }
    record
}

/// Changes the block after a header: a record of an extension, a line of a sparse map.
fn edit_behind(stream: &mut [u8], at: usize, random: &mut Random) {
    let Some(block) = stream.get_mut(at + 512..at + 1024) else { return };
    let used = block.iter().rposition(|&byte| byte != 0).map_or(512, |last| last + 1);
    for _ in 0..=random.below(2) {
        block[random.below(used)] = *random.pick(&[&b'0', &b'1', &b'3', &b' ', &b'=', &b'\n', &0, &b'-', &b'9', &b',']);
    }
}
