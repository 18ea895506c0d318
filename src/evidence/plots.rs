//! The figures as plots (SVG).

use plotters::coord::Shift;
use plotters::prelude::*;

use super::figures::{Evidence, SelectorFigures};
use super::table::Table;
use crate::report::Point;
use crate::search::SelectorName;

/// A plot's file name and its SVG text.
pub type Plot = (&'static str, String);

type PlotResult = Result<(), Box<dyn std::error::Error>>;

/// Pixels.
const SIZE: (u32, u32) = (880, 420);
/// Width of the part that says what is what, in pixels.
const KEY: u32 = 190;
const FONT: &str = "sans-serif";
/// Told apart also by the colour-blind (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(190, 170, 20),
    RGBColor(0, 0, 0),
];
const PALE: RGBColor = RGBColor(190, 190, 190);
const DARK: RGBColor = RGBColor(90, 90, 90);

/// Draws all plots. One that cannot be drawn, for want of anything to show, is left out.
pub fn plots(table: &Table, evidence: &Evidence) -> Vec<Plot> {
    let mut done = Vec::new();
    let mut draw = |name, draw: &dyn Fn(&Area) -> PlotResult| {
        let mut text = String::new();
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let fine = draw(&area).is_ok() && area.present().is_ok();
        drop(area);
        if fine {
            done.push((name, text));
        }
    };
    draw("plans.svg", &|area| plans(area, table, evidence));
    if evidence.whole {
        draw("regret.svg", &|area| regret(area, evidence));
    }
    done
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// All plans by cost and drop, the front, and what each selector chose.
fn plans(area: &Area, table: &Table, evidence: &Evidence) -> PlotResult {
    let all: Vec<Point> = table.rows.iter().map(|row| [row.relative_macs, row.test()]).collect();
    let lowest = all.iter().map(|point| point[1]).fold(0.0, f64::min);
    let highest = all.iter().map(|point| point[1]).fold(1.0, f64::max);
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 - KEY);
    let mut chart = ChartBuilder::on(&left)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.02, lowest..highest * 1.05)?;
    chart
        .configure_mesh()
        .x_desc("MACs relative to the originals apart")
        .y_desc("drop of the worst task on test, points")
        .label_style((FONT, 14))
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart.draw_series(all.iter().map(|[cost, drop]| Circle::new((*cost, *drop), 3, PALE.filled())))?;
    let front = evidence.front.iter().map(|plan| (plan.relative_macs, plan.test));
    chart.draw_series(LineSeries::new(front, DARK.stroke_width(2)))?;
    let mut key = vec![("all plans", PALE), ("front on validation", DARK)];
    for (name, colour, list) in by_selector(evidence) {
        let points = list
            .iter()
            .flat_map(|figures| figures.relative_macs.iter().copied().zip(figures.drops.iter().copied()));
        chart.draw_series(points.map(|point| TriangleMarker::new(point, 5, colour.filled())))?;
        key.push((name, colour));
    }
    explain(&right, &key)
}

/// Regret by budget, with the seed noise as a band.
fn regret(area: &Area, evidence: &Evidence) -> PlotResult {
    let selectors = by_selector(evidence);
    let all = || evidence.selectors.iter();
    let lowest = all().filter_map(|figures| figures.regret).fold(0.0, f64::min);
    let highest = all().filter_map(|figures| figures.regret).fold(1.0, f64::max);
    let first = all().map(|figures| figures.budget).fold(1.0, f64::min);
    let last = all().map(|figures| figures.budget).fold(0.0, f64::max);
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 - KEY);
    let mut chart = ChartBuilder::on(&left)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(first - 0.02..last + 0.02, lowest - 0.2..highest * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("budget, MACs relative to the originals apart")
        .y_desc("regret on test, points")
        .label_style((FONT, 14))
        .light_line_style(TRANSPARENT)
        .draw()?;
    // Every selector is measured against the same noise; the one with most budgets draws it.
    let widest = selectors.iter().map(|(_, _, list)| *list).max_by_key(|list| list.len());
    let noise = widest.into_iter().flatten().map(|figures| (figures.budget, figures.seed_noise));
    let noise = noise.filter(|(_, noise)| noise.is_finite());
    chart.draw_series(AreaSeries::new(noise, 0.0, PALE.mix(0.5)))?;
    let mut key = vec![("seed noise", PALE)];
    for (name, colour, list) in selectors {
        let points = list.iter().filter_map(|figures| Some((figures.budget, figures.regret?)));
        let points: Vec<(f64, f64)> = points.collect();
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?;
        key.push((name, colour));
    }
    explain(&right, &key)
}

/// The figures of each selector by budget, with its colour.
fn by_selector(evidence: &Evidence) -> Vec<(&'static str, RGBColor, &[SelectorFigures])> {
    let groups = evidence.selectors.chunk_by(|a, b| a.selector == b.selector);
    let colour = |name: SelectorName| {
        let place = SelectorName::ALL.iter().position(|known| *known == name);
        COLOURS[place.unwrap_or(0) % COLOURS.len()]
    };
    groups.map(|list| (list[0].selector.as_str(), colour(list[0].selector), list)).collect()
}

/// Says beside a chart which colour means what.
fn explain(area: &Area, key: &[(&str, RGBColor)]) -> PlotResult {
    for (line, (name, colour)) in key.iter().enumerate() {
        let y = 28 + 22 * line as i32;
        area.draw(&Rectangle::new([(6, y - 5), (18, y + 5)], colour.filled()))?;
        area.draw(&Text::new(*name, (26, y - 6), (FONT, 14)))?;
    }
    Ok(())
}
