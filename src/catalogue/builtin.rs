//! The policy files compiled into the program.
//!
//! The list is kept by hand and a test compares it with the directory: a build script would run code for sixty
//! lines that change once a month.

macro_rules! policies {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../policies/", $name)))),*]
    };
}

/// Name, relative to `policies/`, and text of every policy file; sorted.
pub static FILES: &[(&str, &str)] = policies![
    "config/user.toml",
    "remedies/compiled.toml",
    "remedies/managed.toml",
    "remedies/system.toml",
    "tools/autotools.toml",
    "tools/binutils.toml",
    "tools/bundlers.toml",
    "tools/clang.toml",
    "tools/cmake.toml",
    "tools/gcc.toml",
    "tools/git.toml",
    "tools/go.toml",
    "tools/java.toml",
    "tools/make.toml",
    "tools/python.toml",
    "tools/rust.toml",
    "tools/typescript.toml",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_file_of_the_policy_directory_is_compiled_in_and_no_other() {
        let mut on_disk = Vec::new();
        super::super::read_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), "", &mut on_disk)
            .expect("the directory of the repository");
        on_disk.sort();
        let compiled: Vec<_> = super::FILES.iter().map(|&(name, text)| (name.to_string(), text.to_string())).collect();
        assert_eq!(compiled, on_disk);
    }
}
