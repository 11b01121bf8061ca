//! The runs of the candidates of a method that chooses by pilot runs.
//!
//! Not here: which of them continue (`crate::pilot`).

use super::{Aim, Expansion};
use crate::StudyError;
use crate::manifest::Role;
use crate::pilot::Pilot;
use crate::study_file::Count;
use train::Origin;
use train::config::{KeptFiles, StopSettings};
use transfer::{Fraction, Plan};

/// The keys of such a method.
pub(super) struct Candidates<'a> {
    pub name: String,
    pub from: &'a [String],
    pub plans: &'a [String],
    pub fractions: &'a [Fraction],
    pub slices: &'a [Count],
}

impl<'a> Expansion<'a> {
    /// A run for each source, plan and fraction, and those of the sources.
    pub(super) fn add_pilot(&mut self, key: &str, method: &Candidates<'a>, aim: &Aim<'_>) -> Result<(), StudyError> {
        let slices = self.slices(key, method.slices, aim)?;
        let mut ways: Vec<(&str, Option<Fraction>)> = Vec::new();
        for plan in method.plans {
            self.check_several(key, method.from, plan, None)?;
            let found = Plan::find(plan).map_err(|error| self.error(&format!("{key}.plans"), error))?;
            let has_fraction = |fraction: &Fraction| found.clone().set_fraction(*fraction).is_ok();
            if method.fractions.is_empty() || !has_fraction(&Fraction::Of(0.0)) {
                ways.push((plan, None));
                continue;
            }
            for fraction in method.fractions {
                self.check_several(key, method.from, plan, Some(*fraction)).map_err(|_| {
                    self.error(
                        &format!("{key}.fractions"),
                        format!("the fraction {fraction} is out of range: it must be from 0 to 1"),
                    )
                })?;
                ways.push((plan, Some(*fraction)));
            }
        }
        let mut agents = Vec::new();
        for source in method.from {
            let source = self.source(&format!("{key}.from"), source)?;
            let found = self.add_agents(source, aim, &mut Vec::new())?;
            agents.extend(found.into_iter().map(|agent| (agent, source.untrained)));
        }
        // Before the candidates, which follow each other.
        self.add_guide(&format!("{key}.guide"), aim)?;
        self.add_rehearsal(key, aim)?;
        let (group, candidates) = (self.entries.len(), agents.len() * ways.len());
        if candidates < 2 {
            let why =
                "there is only one candidate, so there is nothing to choose; name another source, plan or fraction";
            return Err(self.error(&format!("{key}.from"), why));
        }
        for (agent, untrained) in agents {
            for (plan, fraction) in &ways {
                let (from, name) = (self.folder_of(agent), self.name_of_agent(agent, untrained));
                let fraction_text = fraction.map(|fraction| format!(", {fraction}")).unwrap_or_default();
                let source = format!("{name}, {plan}{fraction_text}");
                let origin = Origin::Agent { from, plan: Some((*plan).into()), fraction: *fraction, untrained };
                self.add_target(key, &method.name, Some(source), aim, &[agent], origin)?;
                let entry = self.entries.last_mut().expect("it was just added");
                entry.role = Role::Candidate;
                entry.pilot = Some(Pilot { group, candidates, slices: slices.clone() });
            }
        }
        Ok(())
    }

    /// The slices in frames: each longer than the one before it and than the random episodes, and shorter than the
    /// whole run.
    fn slices(&self, key: &str, slices: &[Count], aim: &Aim<'_>) -> Result<Vec<u64>, StudyError> {
        let key = format!("{key}.slices");
        let config = self.config(&key, &[aim.task.to_owned()], self.study.steps, aim.seed, &aim.own)?;
        if config.replay.files == KeptFiles::UntilFinished {
            let why = "candidates learn again from their episodes after a slice, so replay.files must not be \"until_finished\"";
            return Err(self.error(&key, why));
        }
        if config.stop != StopSettings::default() {
            let why = "candidates are compared after the same frames, so no rule under stop may end them earlier";
            return Err(self.error(&key, why));
        }
        let (random, steps) = (config.schedule.prefill_frames.0, self.study.steps.0);
        let slices: Vec<u64> = slices.iter().map(|slice| slice.0).collect();
        if slices.is_empty() {
            return Err(self.error(&key, "the list is empty; give at least one number of frames"));
        }
        if !slices.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(self.error(
                &key,
                "each slice must end later than the one before it: slices are frames from the beginning of the run",
            ));
        }
        // Between two lines of metrics, a run that ends there and one that continues do not record the same.
        let every = config.log.every.0;
        if let Some(slice) = slices.iter().find(|slice| !slice.is_multiple_of(every)) {
            let why = format!(
                "a slice of {slice} frames does not end with a line of metrics, which come every {every} frames (log.every): give a \
                 multiple of that, or set log.every"
            );
            return Err(self.error(&key, why));
        }
        if let Some(slice) = slices.iter().find(|slice| **slice <= random || **slice >= steps) {
            let why = format!(
                "a slice of {slice} frames is out of range: it must be longer than the {random} frames of random episodes, and \
                 shorter than the {steps} frames of the whole run"
            );
            return Err(self.error(&key, why));
        }
        Ok(slices)
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::{Manifest, Role};
    use crate::study_file::LoadedStudy;
    use crate::{StudyError, manifest_of};

    fn manifest(method: &str) -> Result<Manifest, StudyError> {
        let text = format!(
            "name = \"mine\"\npreset = \"small\"\nsteps = 40_000\nseeds = [1, 2]\ntasks = [\"hopper\"]\n\
             [[source]]\nname = \"alone\"\neach = [\"ant\", \"walker2d\"]\nsteps = 20_000\n\
             [[method]]\nkind = \"pilot\"\nfrom = [\"alone\"]\n{method}"
        );
        manifest_of(&LoadedStudy::of_text(&text)?, tasks::catalogue())
    }

    #[test]
    fn each_source_plan_and_fraction_is_a_candidate() {
        let found =
            manifest("plans = [\"paper\", \"encoder-only\"]\nfractions = [0.2, \"fit\"]\nslices = [1e4, 2e4]\n")
                .unwrap();
        let candidates: Vec<_> = found.entries.iter().filter(|entry| entry.role == Role::Candidate).collect();
        assert_eq!(candidates.len(), 2 * 2 * 3, "two seeds, two sources, and encoder-only has no fraction");
        assert_eq!(candidates[0].folder.display().to_string(), "runs/hopper/pilot-from-ant+paper+0.2/1");
        assert_eq!(candidates[2].folder.display().to_string(), "runs/hopper/pilot-from-ant+encoder-only/1");
        let frames: u64 = candidates[..6].iter().map(|entry| entry.expected_frames()).sum();
        assert_eq!(frames, 40_000 + 2 * 20_000 + 3 * 10_000);
        assert_eq!(Manifest::parse(&found.to_text()).unwrap(), found);
    }

    #[test]
    fn an_untrained_control_is_another_candidate_than_an_agent_of_the_same_task() {
        let control = "[[source]]\nname = \"control\"\neach = [\"ant\"]\nsteps = 1\nuntrained = true\n";
        let of_method = "[[method]]\nkind = \"single-source\"\nfrom = [\"alone\", \"control\"]\n";
        let found = manifest(&format!("slices = [1e4]\n{control}{of_method}")).unwrap();
        let names: Vec<_> = found
            .entries
            .iter()
            .filter(|entry| entry.role == Role::Target && entry.seed == 1)
            .map(|entry| entry.source.as_deref().unwrap_or_default())
            .collect();
        assert_eq!(names, ["ant", "walker2d", "ant-untrained"]);
    }

    #[test]
    fn candidates_can_be_guided_and_still_follow_each_other() {
        let found = manifest(
            "slices = [1e4]\nguide = \"walker\"\n[[source]]\nname = \"walker\"\ntasks = [\"hopper\"]\nsteps = 9000\n",
        );
        let found = found.unwrap();
        let candidates: Vec<_> = found.entries.iter().filter(|entry| entry.role == Role::Candidate).collect();
        assert_eq!((candidates.len(), &*candidates[0].method), (4, "pilot-guided"));
        assert!(candidates.iter().all(|entry| entry.request.guide.is_some() && entry.after.len() == 2));
        assert_eq!(Manifest::parse(&found.to_text()).unwrap(), found);
    }

    #[test]
    fn a_group_that_is_not_in_the_manifest_is_refused() {
        let mut found = manifest("slices = [1e4]\n").unwrap();
        found.entries.last_mut().unwrap().pilot.as_mut().unwrap().candidates = 9;
        let text = Manifest::new("mine", "", found.entries).to_text();
        assert!(Manifest::parse(&text).unwrap_err().contains("pilot group"));
    }

    #[test]
    fn slices_and_candidates_that_cannot_be_used_are_named_with_their_place() {
        for (method, parts) in [
            ("slices = []", ["method 1, slices", "empty"]),
            ("slices = [2e4, 1e4]", ["method 1, slices", "later than the one before"]),
            ("slices = [1e3]", ["method 1, slices", "random episodes"]),
            (
                "slices = [5e3, 10_500]",
                ["method 1, slices", "a slice of 10500 frames does not end with a line of metrics"],
            ),
            ("slices = [4e4]", ["method 1, slices", "whole run"]),
            ("slices = [1e4]\nset = { replay.files = \"until_finished\" }", ["method 1, slices", "until_finished"]),
            ("slices = [1e4]\nset = { stop.return = 5.0 }", ["method 1, slices", "no rule under stop"]),
            ("slices = [1e4]\nfractions = [2.0]", ["method 1, fractions", "from 0 to 1"]),
            ("slices = [1e4]\nplans = [\"papr\"]", ["method 1, plan", "built-in plan"]),
            ("slices = [\"a\"]", ["(line 13), method 1, slices", "whole number"]),
            ("slices = [1e4]\nfractions = [\"a\"]", ["(line 14), method 1, fractions", "from 0 to 1"]),
            ("slices = [1e4]\nfractions = [0.2, 0.20]", ["method 1, fractions, entry 2", "0.2 is listed twice"]),
            ("slices = [1e4]\nfractions = [0.0, -0.0]", ["method 1, fractions, entry 2", "is listed twice"]),
            ("slices = [1e4]\nplans = [\"paper\", \"paper\"]", ["method 1, plans, entry 2", "paper is listed twice"]),
        ] {
            let message = manifest(method).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
