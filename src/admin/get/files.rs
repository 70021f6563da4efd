//! Which file each body goes to: what `-o` and `-O` say, checked before anything is asked of a server.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::client::Plan;

use super::fault::Fault;
use super::words::Words;

/// One file a URL, `None` for the standard output; nothing at all when every body goes there.
pub(super) fn files(words: &Words, urls: &[String], plans: &[Plan]) -> Result<Vec<Option<PathBuf>>, Fault> {
    let files: Vec<Option<PathBuf>> = if words.remote_name {
        let named = urls.iter().zip(plans).map(|(url, plan)| remote_name(url, &plan.url.target).map(Some));
        named.collect::<Result<_, _>>()?
    } else {
        words.output.iter().map(|path| (path.as_os_str() != "-").then(|| path.clone())).collect()
    };
    if !files.is_empty() && files.len() != urls.len() {
        let (files, urls) = (files.len(), urls.len());
        return Err(Fault::new(
            2,
            format!("{urls} URLs and {files} files: give -o once for each URL, or -O"),
        ));
    }
    let mut seen = HashSet::new();
    for path in files.iter().flatten() {
        check(path)?;
        // What is no ordinary file, like /dev/null, takes any number of bodies.
        if (path.is_file() || !path.exists()) && !seen.insert(path) {
            let words = format!("two bodies would go to {}: name each file with -o", path.display());
            return Err(Fault::new(23, words));
        }
    }
    Ok(files)
}

/// Whether a file can be there.
fn check(path: &Path) -> Result<(), Fault> {
    let name = path.display();
    if path.is_dir() {
        return Err(Fault::new(23, format!("{name} is a directory: name a file in it")));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            let folder = folder.display();
            let words =
                format!("{name} cannot be written: there is no directory {folder}; mkdir -p makes it");
            Err(Fault::new(23, words))
        }
        _ => Ok(()),
    }
}

/// The last part of a URL's path.
fn remote_name(url: &str, target: &str) -> Result<PathBuf, Fault> {
    let path = target.split('?').next().unwrap_or_default();
    match path.rsplit('/').next() {
        Some(name) if !matches!(name, "" | "." | "..") => Ok(PathBuf::from(name)),
        _ => Err(Fault::new(23, format!("{url} ends in no name for a file: name it with -o"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_like_the_end_of_the_url() {
        assert_eq!(remote_name("", "/a/b.txt?c/d"), Ok("b.txt".into()));
        assert!(remote_name("", "/").is_err() && remote_name("", "/a/..").is_err());
    }

    #[test]
    fn files_are_checked_before_anything_is_sent() {
        let urls = ["a".to_owned(), "b".to_owned()];
        let named = |names: [&str; 2]| {
            let output = names.iter().map(PathBuf::from).collect();
            files(&Words { output, ..Words::default() }, &urls, &[])
        };
        assert_eq!(named(["-", "new"]), Ok(vec![None, Some("new".into())]));
        assert!(named(["/dev/null", "/dev/null"]).is_ok());
        for wrong in [["new", "new"], ["/dev", "new"], ["new", "/dev/no/such/folder/file"]] {
            assert_eq!(named(wrong).map_err(|fault| fault.code), Err(23), "{wrong:?}");
        }
    }
}
