//! Reads what pnpm and yarn note about an installation: whether dev dependencies belong to it.

use super::json::{self, Loose};
use crate::{
    model::NodeRecord,
    probe::malformed::{Malformed, lines},
};

/// Reads `node_modules/.modules.yaml`: YAML up to pnpm 9, JSON from pnpm 10 on.
///
/// # Errors
/// When it does not say whether dev dependencies are included.
pub fn pnpm_modules(body: &[u8]) -> Result<NodeRecord, Malformed> {
    let dev = if body.trim_ascii_start().starts_with(b"{") {
        let [included] = json::pick(body, [("included", 1)])?;
        match included.get("devDependencies") {
            Some(Loose::Flag(dev)) => Some(*dev),
            _ => None,
        }
    } else {
        let mut below = lines(body).skip_while(|line| *line != b"included:").skip(1);
        let mut section = std::iter::from_fn(|| below.next().filter(|line| line.starts_with(b" ")));
        section.find_map(|line| match line.trim_ascii().strip_prefix(b"devDependencies:")?.trim_ascii() {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        })
    };
    let dev = dev.ok_or_else(|| Malformed("it does not say whether dev dependencies are included".to_string()))?;
    Ok(NodeRecord::Installed { dev })
}

/// Reads `node_modules/.yarn-integrity` of yarn 1.
///
/// # Errors
/// When it is not JSON.
pub fn yarn_integrity(body: &[u8]) -> Result<NodeRecord, Malformed> {
    let [flags] = json::pick(body, [("flags", 1)])?;
    Ok(NodeRecord::Installed { dev: flags.elements().iter().all(|flag| flag.text() != Some("production")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_says_whether_it_holds_dev_dependencies() {
        let yaml = |dev: &str| {
            format!(
                "hoistPattern:\n  - '*'\nincluded:\n  dependencies: true\n  devDependencies: {dev}\nlayoutVersion: 5\n"
            )
        };
        let json =
            |dev: &str| format!(r#"{{"skipped":[],"included":{{"dependencies":true,"devDependencies":{dev}}}}}"#);
        for dev in [true, false] {
            let want = Ok(NodeRecord::Installed { dev });
            assert_eq!(pnpm_modules(yaml(&dev.to_string()).as_bytes()), want);
            assert_eq!(pnpm_modules(json(&dev.to_string()).as_bytes()), want);
        }
        for body in ["", "{}", "{", "included:\nlayoutVersion: 5\n  devDependencies: true\n", "devDependencies: true"] {
            assert!(pnpm_modules(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(yarn_integrity(br#"{"flags":["production"]}"#), Ok(NodeRecord::Installed { dev: false }));
        assert_eq!(yarn_integrity(br#"{"flags":["ignoreScripts"]}"#), Ok(NodeRecord::Installed { dev: true }));
        assert!(yarn_integrity(b"[]").is_err());
    }
}
