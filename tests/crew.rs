//! Plans that other workers judge.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly")]

mod common;

use std::cell::{Cell, RefCell};
use std::pin::Pin;

use burn::tensor::Device;
use common::{outcome, project, settings};
use graftlab::platform::Cancel;
use graftlab::project::{Crew, CrewMember, Errand, Host, Project, Settings, run};
use graftlab::report::Report;
use pollster::block_on;

/// Workers with projects of their own, which get their errands as text. The last of them never answers.
struct Others {
    members: Vec<RefCell<(CrewMember, Project)>>,
    sent: Cell<usize>,
}

impl Others {
    fn new(count: usize) -> Self {
        let members = (0..count).map(|_| RefCell::new((CrewMember::default(), project()))).collect();
        Self { members, sent: Cell::new(0) }
    }
}

impl Crew for Others {
    fn size(&self) -> usize {
        self.members.len() + 1
    }

    fn send(&self, errand: &Errand) -> Pin<Box<dyn Future<Output = Option<f64>> + '_>> {
        let turn = self.sent.replace(self.sent.get() + 1) % self.size();
        let errand = serde_json::from_str(&serde_json::to_string(errand).unwrap()).unwrap();
        Box::pin(async move {
            let (member, project) = &mut *self.members.get(turn)?.borrow_mut();
            Some(block_on(member.judge(project, errand, &Device::flex())).unwrap())
        })
    }
}

fn report(settings: &Settings, crew: &dyn Crew) -> Report {
    let (cancel, crew) = (&Cancel::default(), Some(crew));
    let host = Host { on_event: &|_| {}, cancel, archive: None, crew, resume: None };
    block_on(run(&mut project(), settings, (&Device::flex(), "cpu"), host)).unwrap().report
}

#[test]
fn the_same_plans_come_out_whoever_judges_them() {
    let mut settings = settings();
    settings.search.finalists = 5;
    settings.search.finalist_rounds = 2;
    settings.search.supernet_steps = 20;
    settings.train.views = 2;
    settings.train.image_passes = 32;
    let alone = outcome(&mut project(), &settings).unwrap().report;
    let others = Others::new(2);
    let together = report(&settings, &others);
    assert!(others.sent.get() >= 3, "only {} errands", others.sent.get());
    assert_eq!(alone.judged, together.judged);
    assert_eq!(alone.plan, together.plan);
    assert_eq!(alone.tasks, together.tasks);
}

#[test]
fn an_errand_for_other_networks_is_refused() {
    let others = Others::new(1);
    let errand = RefCell::new(None);
    struct Listener<'a>(&'a RefCell<Option<Errand>>);
    impl Crew for Listener<'_> {
        fn size(&self) -> usize {
            1
        }
        fn send(&self, errand: &Errand) -> Pin<Box<dyn Future<Output = Option<f64>> + '_>> {
            self.0.replace(Some(errand.clone()));
            Box::pin(async { None })
        }
    }
    let mut settings = settings();
    settings.train.image_passes = 16;
    report(&settings, &Listener(&errand));
    let (member, project) = &mut *others.members[0].borrow_mut();
    project.remove_network(0);
    let errand = errand.take().expect("a plan was to be judged");
    assert!(block_on(member.judge(project, errand, &Device::flex())).is_err());
}
