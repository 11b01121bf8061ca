//! Methods whose targets begin with episodes of an agent (`guide`), or also learn from its episodes (`rehearse`).

use super::existing::SourceAgent;
use super::{Aim, Expansion, is_external};
use crate::StudyError;
use crate::manifest::Entry;
use files::layout::EPISODES;
use std::path::PathBuf;
use train::Rehearse;
use train::config::KeptFiles;

impl Expansion<'_> {
    /// The agent that guides the targets of `aim`, whose run is added if necessary. That it cannot act in the
    /// task must not come to light only after it has been trained.
    pub(super) fn add_guide(&mut self, key: &str, aim: &Aim<'_>) -> Result<Option<SourceAgent>, StudyError> {
        let Some(guide) = aim.guide else { return Ok(None) };
        let source = self.source(key, guide)?;
        let agent = self.add_one_agent(key, source, aim, &mut Vec::new())?;
        let learns_it = self.tasks_of(agent).iter().any(|task| task == aim.task);
        match self.action_sizes(key, agent, aim)? {
            Some((own, needed)) if !learns_it && own != needed => {
                let needed = wording::counted(needed as u64, "action element");
                let why = format!(
                    "source {guide:?} cannot act in {}, which has {needed}, while its agent has {own}; name a source that learns \
                     {0}, or whose agent has as many",
                    aim.task
                );
                Err(self.error(key, why))
            }
            _ => Ok(Some(agent)),
        }
    }

    /// The agent whose episodes the targets of `aim` rehearse, and whose run is added if necessary.
    pub(super) fn add_rehearsal(&mut self, method: &str, aim: &Aim<'_>) -> Result<Option<SourceAgent>, StudyError> {
        let (key, share) = (format!("{method}.rehearse"), format!("{method}.share"));
        let Some(name) = aim.rehearse.0 else {
            return match aim.rehearse.1 {
                Some(_) => {
                    Err(self.error(&share, "it is for methods with `rehearse`; add that key, or remove this one"))
                }
                None => Ok(None),
            };
        };
        let asked = Rehearse { from: PathBuf::new(), share: aim.rehearse.1 };
        if asked.check().is_err() {
            let why = format!("{} is out of range: it must be a number between 0 and 1, such as 0.2", asked.share());
            return Err(self.error(&share, why));
        }
        let source = self.source(&key, name)?;
        let agent = self.add_one_agent(&key, source, aim, &mut Vec::new())?;
        match agent {
            SourceAgent::Run(index) => {
                let Entry { tasks, seed, .. } = &self.entries[index];
                let of_source = self.config(&key, tasks, self.study.steps, *seed, &aim.base)?;
                if of_source.replay.files == KeptFiles::UntilFinished {
                    let why = "replay.files = \"until_finished\" removes the episodes of its source; remove that setting from the \
                               study's [set]";
                    return Err(self.error(&key, why));
                }
            }
            SourceAgent::Existing(_) => {
                let folder = self.folder_of(agent);
                if !folder.join(EPISODES).is_dir() {
                    let why =
                        format!("{} has no episodes; name the folder of a run that has kept its own", folder.display());
                    return Err(self.error(&key, why));
                }
            }
        }
        match self.action_sizes(&key, agent, aim)? {
            Some((own, needed)) if own > needed && self.tasks_of(agent).len() == 1 => {
                let own = wording::counted(own as u64, "action element");
                let why = format!(
                    "the episodes of source {name:?} have {own}, and {} has {needed}; name a source with at most as many",
                    aim.task
                );
                Err(self.error(&key, why))
            }
            _ => Ok(Some(agent)),
        }
    }

    /// The action sizes of a source's agent and of the task of `aim`; `None` if one of them is an environment of
    /// another program, which would be started.
    fn action_sizes(&self, key: &str, agent: SourceAgent, aim: &Aim<'_>) -> Result<Option<(usize, usize)>, StudyError> {
        let options = self.config(key, &[aim.task.to_owned()], self.study.steps, aim.seed, &aim.own)?.task;
        let size =
            |task: &str| Some(self.catalogue.info(task, &options).ok()?.actions.size).filter(|_| !is_external(task));
        let own: Option<Vec<usize>> = self.tasks_of(agent).iter().map(|task| size(task)).collect();
        Ok(own.and_then(|sizes| sizes.into_iter().max()).zip(size(aim.task)))
    }
}

#[cfg(test)]
mod tests {
    use crate::study_file::LoadedStudy;
    use crate::{Manifest, StudyError, manifest_of};
    use std::path::Path;

    /// The manifest of a study of these methods on hopper, with sources that learn it, it and another task, and another
    /// task.
    fn guided(methods: &str) -> Result<Manifest, StudyError> {
        let source =
            |name: &str, tasks: &str| format!("[[source]]\nname = \"{name}\"\ntasks = [{tasks}]\nsteps = 2000\n");
        let sources = [source("same", "\"hopper\""), source("both", "\"hopper\", \"ant\""), source("ant", "\"ant\"")];
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 1000\nseeds = [1]\ntasks = [\"hopper\"]\n{}{methods}",
            sources.concat()
        );
        manifest_of(&LoadedStudy::of_text(&text)?, tasks::catalogue())
    }

    #[test]
    fn every_kind_of_method_can_be_guided() {
        let methods = "[[method]]\nkind = \"baseline\"\n[[method]]\nkind = \"baseline\"\nguide = \"same\"\n\
                       [[method]]\nkind = \"full\"\nfrom = \"ant\"\nguide = \"both\"\n\
                       [[method]]\nkind = \"fine-tune\"\nname = \"tuned\"\nfrom = \"same\"\nguide = \"same\"\n\
                       [[method]]\nkind = \"fractional\"\nfrom = \"ant\"\nfractions = [0.2]\nguide = \"same\"\n\
                       [[method]]\nkind = \"fractional\"\nname = \"part\"\nfrom = \"ant\"\nfractions = [0.2, \"fit\"]\n";
        let manifest = guided(methods).unwrap();
        let found: Vec<_> = manifest.entries[3..]
            .iter()
            .map(|entry| (&*entry.method, entry.source.as_deref(), &*entry.after, entry.request.guide.as_deref()))
            .collect();
        let [same, both] =
            ["sources/hopper/2000/1000", "sources/hopper+ant/2000/1000"].map(|path| Some(Path::new(path)));
        assert_eq!(
            found,
            [
                ("baseline", None, &[][..], None),
                ("baseline-guided", Some("same"), &[0], same),
                ("full-guided", Some("ant, both"), &[1, 2], both),
                ("tuned", Some("same"), &[0], same),
                ("fractional-0.2-guided", Some("ant, same"), &[0, 2], same),
                ("part-0.2", Some("ant"), &[2], None),
                ("part-fit", Some("ant"), &[2], None),
            ]
        );
        assert!(manifest.entries[5].folder.ends_with("hopper/full-guided-from-ant+both/1"));
        assert!(
            manifest.entries[4].arguments.ends_with(&["--guide".to_owned(), "sources/hopper/2000/1000".to_owned()])
        );
        assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
        // A run without a guide is written as before.
        assert!(!manifest.to_text().lines().nth(4).unwrap().contains("guide"));
    }

    #[test]
    fn guides_that_cannot_act_in_the_task_are_named_before_anything_is_trained() {
        for (guide, part) in [
            (
                "ant",
                "method 1, guide: source \"ant\" cannot act in hopper, which has 3 action elements, while its agent has 8",
            ),
            ("sam", "did you mean \"same\"?"),
        ] {
            let message =
                guided(&format!("[[method]]\nkind = \"baseline\"\nguide = \"{guide}\"\n")).unwrap_err().to_string();
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn every_kind_of_method_can_rehearse() {
        let methods = "[[method]]\nkind = \"baseline\"\nrehearse = \"same\"\n\
                       [[method]]\nkind = \"full\"\nfrom = \"ant\"\nrehearse = \"both\"\nshare = 0.5\nguide = \"same\"\n";
        let manifest = guided(methods).unwrap();
        let [first, second] = &manifest.entries[3..] else { panic!("two targets") };
        assert_eq!(
            (&*first.method, first.source.as_deref(), &*first.after),
            ("baseline-rehearsing", Some("same"), &[0][..])
        );
        let rehearse = first.request.rehearse.clone().unwrap();
        assert_eq!((&*rehearse.from, rehearse.share), (Path::new("sources/hopper/2000/1000"), None));
        assert_eq!((&*second.method, second.source.as_deref()), ("full-guided-rehearsing", Some("ant, same, both")));
        assert_eq!((&*second.after, second.request.rehearse.as_ref().unwrap().share), (&[0, 1, 2][..], Some(0.5)));
        assert!(second.arguments.ends_with(&["--share".to_owned(), "0.5".to_owned()]));
        assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
    }

    #[test]
    fn episodes_that_cannot_be_rehearsed_are_named_before_anything_is_trained() {
        for (keys, part) in [
            ("rehearse = \"ant\"", "the episodes of source \"ant\" have 8 action elements, and hopper has 3"),
            (
                "rehearse = \"same\"\nshare = 1.0",
                "method 1, share: 1 is out of range: it must be a number between 0 and 1",
            ),
            ("share = 0.3", "it is for methods with `rehearse`"),
        ] {
            let message = guided(&format!("[[method]]\nkind = \"baseline\"\n{keys}\n")).unwrap_err().to_string();
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
