//! The runs of methods that start from one of several agents, which is chosen when the run begins.
//!
//! Not here: how it is chosen (`train`).

use super::checks::{check_fraction, check_preset};
use super::{Aim, Expansion};
use crate::StudyError;
use train::Origin;
use transfer::{ChooseBy, Fraction, Plan};

impl<'a> Expansion<'a> {
    /// The run of a method on a target, which starts from one of the agents of these sources with this plan and
    /// fraction, and the runs of these agents.
    pub(super) fn add_chosen(
        &mut self,
        key: &str,
        name: &str,
        choose: ChooseBy,
        (from, plan, fraction): (&'a [String], &str, Option<Fraction>),
        aim: &Aim<'_>,
    ) -> Result<(), StudyError> {
        self.check_several(key, from, plan, fraction)?;
        if choose == ChooseBy::Rank {
            self.check_random_episodes(key, aim)?;
            let config = self.config(key, &[aim.task.to_owned()], self.study.steps, aim.seed, &aim.base)?;
            if !config.agent.predicts_observations() {
                let why = "a ranking scores predictions of observations, which agents with agent.reconstruction = \"barlow\" do not \
                           make; use the kind random-source or pilot";
                return Err(self.error(&format!("{key}.kind"), why));
            }
            if aim.guide.is_some() {
                let why =
                    "a ranking is made on random episodes, which a guide replaces; remove it, or use another method";
                return Err(self.error(&format!("{key}.guide"), why));
            }
        }
        let mut agents = Vec::new();
        for source in from {
            let source = self.source(&format!("{key}.from"), source)?;
            if source.untrained {
                let why = format!(
                    "the source {:?} is untrained, and a ranking has such a control anyway; remove it",
                    source.name
                );
                return Err(self.error(&format!("{key}.from"), why));
            }
            for agent in self.add_agents(source, aim, &mut Vec::new())? {
                // A copy of an agent, or its checkpoint, is not another candidate.
                if !agents.iter().any(|known| self.is_same(*known, agent)) {
                    agents.push(agent);
                }
            }
        }
        if agents.len() < 2 {
            let why = "the sources have only one agent, so there is nothing to choose; name a source more, or one with `each`";
            return Err(self.error(&format!("{key}.from"), why));
        }
        let candidates = agents.iter().map(|agent| self.folder_of(*agent)).collect();
        let origin = Origin::Agents { from: candidates, choose, plan: Some(plan.into()), fraction };
        self.add_target(key, name, Some(from.join(", ")), aim, &agents, origin)
    }

    /// Checks that a target begins with the two random episodes that a ranking needs, if its episodes are as long as
    /// they can be.
    fn check_random_episodes(&self, key: &str, aim: &Aim<'_>) -> Result<(), StudyError> {
        let config = self.config(key, &[aim.task.to_owned()], self.study.steps, aim.seed, &aim.own)?;
        let info = self.catalogue.info(aim.task, &config.task).map_err(|error| self.error(key, error))?;
        let longest = u64::from(info.timing.frame_limit);
        if config.schedule.prefill_episodes >= 2 || config.schedule.prefill_frames.0 > longest {
            return Ok(());
        }
        let why = format!(
            "a ranking needs at least 2 random episodes of {}, and these settings may give 1; add schedule.prefill_episodes = 2 to its \
             set, or to that of the study",
            aim.task
        );
        Err(self.error(key, why))
    }

    /// Checks the keys of a method that has several sources, a preset and its fraction.
    pub(super) fn check_several(
        &self,
        key: &str,
        from: &[String],
        plan: &str,
        fraction: Option<Fraction>,
    ) -> Result<(), StudyError> {
        check_preset(plan).map_err(|why| self.error(&format!("{key}.plan"), why))?;
        if let Some(fraction) = fraction {
            let key = format!("{key}.fraction");
            check_fraction(fraction).map_err(|why| self.error(&key, why))?;
            let found = Plan::find(plan).and_then(|mut plan| plan.set_fraction(fraction));
            found.map_err(|error| self.error(&key, error))?;
        }
        match from.is_empty() {
            true => Err(self.error(&format!("{key}.from"), "the list is empty; name at least one source")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::Manifest;
    use crate::study_file::LoadedStudy;
    use crate::{StudyError, manifest_of};
    use train::Origin;
    use transfer::ChooseBy;

    fn manifest(methods: &str) -> Result<Manifest, StudyError> {
        let text = format!(
            "name = \"mine\"\npreset = \"smoke\"\nsteps = 2000\nseeds = [1]\ntasks = [\"hopper\"]\nset = {{ schedule.prefill_episodes = 2 }}\n\
             [[source]]\nname = \"alone\"\neach = [\"ant\", \"walker2d\"]\nsteps = 2000\n\
             [[source]]\nname = \"one\"\ntasks = [\"ant\"]\nsteps = 3000\n{methods}"
        );
        manifest_of(&LoadedStudy::of_text(&text)?, tasks::catalogue())
    }

    #[test]
    fn a_ranked_method_and_its_control_have_all_candidates() {
        let methods = "[[method]]\nkind = \"ranked\"\nfrom = [\"alone\"]\n[[method]]\nkind = \"random-source\"\n\
                       from = [\"alone\", \"one\"]\nfraction = 0.3\n";
        let manifest = manifest(methods).unwrap();
        let [.., ranked, random] = manifest.entries.as_slice() else { panic!("two targets") };
        assert_eq!((&*ranked.method, &*ranked.after), ("ranked", &[0, 1][..]));
        assert_eq!((&*random.method, &*random.after), ("random-source", &[0, 1, 2][..]));
        let Origin::Agents { from, choose, fraction, .. } = &random.request.origin else { panic!("{random:?}") };
        assert_eq!((from.len(), *choose, fraction.is_some()), (3, ChooseBy::Chance, true));
        assert_eq!(ranked.request.plan().unwrap().unwrap().candidates().len(), 2);
        assert_eq!(Manifest::parse(&manifest.to_text()).unwrap(), manifest);
    }

    #[test]
    fn nothing_to_choose_is_refused_with_its_place() {
        for (more, parts) in [
            ("from = [\"one\"]", ["(line 17), method 1, from", "only one agent"]),
            ("from = [\"alone\"]\nguide = \"one\"", ["(line 18), method 1, guide", "on random episodes"]),
            ("from = []", ["(line 17), method 1, from", "empty"]),
            ("from = [\"alone\", \"alone\"]", ["(line 17), method 1, from, entry 2", "alone is listed twice"]),
            ("from = [\"alone\"]\nplan = \"papr\"", ["(line 18), method 1, plan", "built-in plan"]),
            ("from = [\"alone\"]\nfraction = 2.0", ["(line 18), method 1, fraction", "from 0 to 1"]),
        ] {
            let message = manifest(&format!("[[method]]\nkind = \"ranked\"\n{more}\n")).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
