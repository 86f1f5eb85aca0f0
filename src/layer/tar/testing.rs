//! Archives for tests, built block by block.

/// One PAX record with its right length.
pub(super) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let len = (1..).map(|digits| rest + digits).find(|len| rest + len.to_string().len() == *len).unwrap_or(rest);
    [format!("{len} {key}=").as_bytes(), value, b"\n"].concat()
}
