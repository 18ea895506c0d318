//! Plans that are judged elsewhere: by workers that have loaded the same networks and images.

use std::pin::Pin;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::evaluate::Evaluation;
use super::judge::measure;
use super::run::VALIDATION_IMAGES;
use super::teachers::Kept;
use super::workshop::Workshop;
use super::{Project, ProjectError, Settings};
use crate::data::Split;
use crate::join::{Adapter, JoinError, Plan};
use crate::platform::Cancel;

/// Workers beside the one that a run has.
pub trait Crew {
    /// How many there are.
    fn size(&self) -> usize;

    /// Begins an errand at once, and answers with the plan's worst drop in points. Where that fails, the run judges the
    /// plan itself.
    fn send(&self, errand: &Errand) -> Pin<Box<dyn Future<Output = Option<f64>> + '_>>;
}

/// All that a worker needs to judge a plan, beside networks and images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errand {
    settings: Settings,
    plan: Plan,
    image_passes: usize,
    /// Of the plan's joins, in their order.
    adapters: Vec<Adapter>,
}

impl Errand {
    /// What is to be done for a workshop.
    pub fn new(workshop: &Workshop<'_>, plan: &Plan, image_passes: usize) -> Self {
        let adapters = plan.joins().filter_map(|key| workshop.adapters.get(&key).cloned()).collect();
        Self { settings: workshop.settings.clone(), plan: plan.clone(), image_passes, adapters }
    }
}

/// A worker of a crew.
#[derive(Debug, Default)]
pub struct CrewMember {
    /// Teachers' outputs, from one errand of a run to the next.
    kept: Option<(Settings, Kept)>,
}

impl CrewMember {
    /// Judges a plan: the same number that the run's own worker would find.
    ///
    /// # Errors
    ///
    /// Other networks or images are loaded than those of the run, or the device fails.
    pub async fn judge(
        &mut self,
        project: &mut Project,
        errand: Errand,
        device: &Device,
    ) -> Result<f64, ProjectError> {
        let networks = project.networks()?;
        let dataset = project.dataset().await?;
        let cancel = Cancel::default();
        let Errand { settings, plan, image_passes, adapters } = errand;
        let mut workshop = Workshop::new(&networks, dataset, &settings, device, &cancel)?;
        plan.check(&workshop.space)?;
        for (key, adapter) in plan.joins().zip(adapters) {
            let [from, to] = workshop.space.ends(key.0, key.1);
            if !adapter.fits(from, to) {
                return Err(JoinError::InvalidPlan { reason: "an adapter of other networks".into() }.into());
            }
            workshop.adapters.insert(key, adapter);
        }
        if let Some((_, kept)) = self.kept.take().filter(|(known, _)| *known == settings) {
            workshop.teachers.put_kept(kept);
        }
        let labels = workshop.labels.clone();
        let (split, most) = (Split::Validation, VALIDATION_IMAGES);
        let validation =
            Evaluation::new(dataset, split, most, labels, &workshop.teachers, &|_, _| {}).await?;
        let worst = measure(&workshop, &validation, &plan, image_passes).await;
        let kept = workshop.teachers.take_kept();
        drop(workshop);
        self.kept = Some((settings, kept));
        worst
    }
}
