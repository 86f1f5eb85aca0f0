//! Reads the Dockerfile out of the attestation that BuildKit makes of a build.
//!
//! With `mode=max` it carries the whole file. Nobody has signed it, and what can not be read in it is no fault of the
//! image: then there is none. Formats: BuildKit's `docs/attestations/` (`attestation-storage.md`, `slsa-definitions.md`,
//! `slsa-provenance.md`), and what BuildKit 0.13 wrote (see the tests of `tests/source.rs`).

use super::{
    document::Descriptor,
    json::{Json, Object},
    resolve::{MANIFEST_MAX, Members, read_blob},
};
use crate::model::{BuiltFrom, Digest, base64};

/// Largest statement that is read, in bytes: it has each step and each source of the build.
const STATEMENT_MAX: u64 = 8 << 20;

/// Largest Dockerfile that is taken, in bytes, as it is for files.
const FILE_MAX: usize = 4 << 20;

/// The Dockerfile of an image, by its manifest and the attestations that lie beside it.
pub(super) fn dockerfile(members: &dyn Members, manifest: Digest, attestations: &[Descriptor]) -> Option<BuiltFrom> {
    let mut own = attestations.iter().filter(|one| one.refers == Some(manifest));
    let (attestation, None) = (own.next()?, own.next()) else { return None };
    let bytes = read_blob(members, attestation, MANIFEST_MAX).ok()?;
    let json = Json::read(&bytes).ok()?;
    let layers = json.object().ok()?.list("layers").ok()?;
    let statements = layers.iter().filter_map(|layer| Descriptor::read(layer).ok());
    let is_statement = |layer: &Descriptor| layer.media_type == "application/vnd.in-toto+json";
    statements.filter(is_statement).find_map(|layer| statement(&read_blob(members, &layer, STATEMENT_MAX).ok()?))
}

/// The Dockerfile of a statement of provenance, in the form of SLSA 0.2 or 1.
fn statement(bytes: &[u8]) -> Option<BuiltFrom> {
    let json = Json::read(bytes).ok()?;
    let statement = json.object().ok()?;
    let predicate = statement.object("predicate").ok()?;
    let (build, request) = match statement.text("predicatetype").ok()? {
        "https://slsa.dev/provenance/v0.2" => (
            at(predicate, &["metadata", "https://mobyproject.org/buildkit@v1#metadata"])?,
            at(predicate, &["invocation", "parameters", "args"])?,
        ),
        "https://slsa.dev/provenance/v1" => (
            at(predicate, &["rundetails", "metadata", "buildkit_metadata"])?,
            at(predicate, &["builddefinition", "externalparameters", "request", "args"])?,
        ),
        _ => return None,
    };
    let infos = at(build, &["source"])?.list("infos").ok()?;
    let infos: Vec<Object<'_>> = infos.iter().filter_map(|info| info.object().ok()).collect();
    let [info] = infos.as_slice() else { return None };
    let text =
        base64::decode(info.text("data").ok()?.as_bytes()).filter(|text| !text.is_empty() && text.len() <= FILE_MAX)?;
    // Where the file lies in its repository is known if it was built in a work tree of git.
    let dir = at(build, &["vcs"])?.text("localdir:dockerfile").ok()?;
    let name = name(dir, info.text("filename").ok()?);
    let target = request.text("target").ok().filter(|target| !target.is_empty()).map(str::to_string);
    Some(BuiltFrom { name, text, target })
}

/// The object at the end of a path of members, empty where one is missing.
fn at<'a>(object: Object<'a>, path: &[&str]) -> Option<Object<'a>> {
    path.iter().try_fold(object, |object, name| object.object(name).ok())
}

/// The path of the file in its sources; one that leads out of them, or is none, is not repeated.
fn name(dir: &str, file: &str) -> String {
    let parts: Vec<&str> = dir.split('/').chain(file.split('/')).filter(|part| !matches!(*part, "" | ".")).collect();
    let is_plain = !file.is_empty() && !dir.starts_with('/') && !file.starts_with('/') && !parts.contains(&"..");
    let is_shown = parts.iter().all(|part| !part.contains(|c: char| c.is_control() || matches!(c, '\\' | ':')));
    if is_plain && is_shown { parts.join("/") } else { "Dockerfile".to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `FROM scratch\nCOPY a /\n`
    const DATA: &str = "RlJPTSBzY3JhdGNoCkNPUFkgYSAvCg==";

    fn first(build: &str, args: &str) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","subject":[],
            "predicate":{{"invocation":{{"configSource":{{"entryPoint":"app.Dockerfile"}},"parameters":{{"frontend":"dockerfile.v0",
            "args":{args}}}}},"metadata":{{"reproducible":false,"https://mobyproject.org/buildkit@v1#metadata":{build}}}}}}}"#
        )
    }

    fn source(file: &str) -> String {
        format!(
            r#""source":{{"locations":{{}},"infos":[{{"filename":"{file}","language":"Dockerfile","data":"{DATA}"}}]}}"#
        )
    }

    fn read(text: &str) -> Option<(String, Option<String>)> {
        let found = statement(text.as_bytes())?;
        assert_eq!(found.text, b"FROM scratch\nCOPY a /\n");
        Some((found.name, found.target))
    }

    #[test]
    fn the_file_is_read_of_both_versions_of_the_format() {
        let build = format!("{{{}}}", source("app.Dockerfile"));
        assert_eq!(read(&first(&build, "{}")), Some(("app.Dockerfile".to_string(), None)));
        let build = format!(r#"{{"vcs":{{"localdir:dockerfile":"docker/api"}},{}}}"#, source("Dockerfile"));
        let want = Some(("docker/api/Dockerfile".to_string(), Some("run".to_string())));
        assert_eq!(read(&first(&build, r#"{"target":"run","build-arg:A":"b"}"#)), want);
        let second = format!(
            r#"{{"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"externalParameters":
            {{"request":{{"args":{{"target":"run"}}}}}}}},"runDetails":{{"metadata":{{"buildkit_metadata":{build}}}}}}}}}"#
        );
        assert_eq!(read(&second), want);
    }

    #[test]
    fn without_the_file_there_is_none() {
        let one = source("Dockerfile");
        let info = one.trim_start_matches(r#""source":{"locations":{},"infos":["#).trim_end_matches("]}");
        for build in [
            "{}".to_string(),
            format!(r#"{{"source":{{"infos":[{info},{info}]}}}}"#),
            format!("{{{}}}", one.replace(DATA, "")),
            format!("{{{}}}", one.replace(DATA, "no base64!")),
            format!("{{{}}}", one.replace(&format!("\"{DATA}\""), "[]")),
        ] {
            assert_eq!(read(&first(&build, "{}")), None, "{build}");
        }
        assert_eq!(read(&first(&format!("{{{one}}}"), "{}").replace("v0.2", "v9")), None);
    }

    #[test]
    fn a_name_that_leads_out_of_the_sources_is_not_repeated() {
        for (dir, file) in
            [("..", "Dockerfile"), ("/etc", "x"), ("a", "../../x"), ("", ""), ("", "/x"), ("c:", "x"), ("", "a\u{1b}")]
        {
            assert_eq!(name(dir, file), "Dockerfile", "{dir} {file}");
        }
        assert_eq!(name("./a/", "./b.Dockerfile"), "a/b.Dockerfile");
        assert_eq!(name("", "Containerfile"), "Containerfile");
    }
}
