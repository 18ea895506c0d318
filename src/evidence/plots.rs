//! The figures as plots (SVG).

use plotters::coord::Shift;
use plotters::prelude::*;

use super::figures::Evidence;
use super::front::Point;
use super::table::Table;

/// A plot's file name and its SVG text.
pub type Plot = (&'static str, String);

type PlotResult = Result<(), Box<dyn std::error::Error>>;

/// Pixels.
const SIZE: (u32, u32) = (760, 420);
const FONT: &str = "sans-serif";
/// Told apart also by the colour-blind (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];
const PALE: RGBColor = RGBColor(190, 190, 190);

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
    let mut chart = ChartBuilder::on(area)
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
    chart
        .draw_series(LineSeries::new(front, COLOURS[6].stroke_width(2)))?
        .label("front on validation")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], COLOURS[6].stroke_width(2)));
    for (index, (name, list)) in by_selector(evidence).into_iter().enumerate() {
        let colour = COLOURS[index % (COLOURS.len() - 1)];
        let points = list.iter().map(|figures| (figures.budget, figures.drop));
        chart
            .draw_series(points.map(|point| TriangleMarker::new(point, 6, colour.filled())))?
            .label(format!("{name}, by budget"))
            .legend(move |(x, y)| TriangleMarker::new((x + 7, y), 6, colour.filled()));
    }
    legend(&mut chart)
}

/// Regret by budget, with the seed noise as a band.
fn regret(area: &Area, evidence: &Evidence) -> PlotResult {
    let selectors = by_selector(evidence);
    let budgets: Vec<f64> =
        selectors.first().map_or(Vec::new(), |(_, list)| list.iter().map(|figures| figures.budget).collect());
    let (Some(first), Some(last)) = (budgets.first(), budgets.last()) else { return Err("nothing".into()) };
    let all = || evidence.selectors.iter();
    let highest = all().filter_map(|figures| figures.regret).fold(1.0, f64::max);
    let lowest = all().filter_map(|figures| figures.regret).fold(0.0, f64::min);
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
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
    let noise = selectors[0].1.iter().map(|figures| (figures.budget, figures.seed_noise));
    chart
        .draw_series(AreaSeries::new(noise, 0.0, PALE.mix(0.4)))?
        .label("seed noise")
        .legend(|(x, y)| Rectangle::new([(x, y - 4), (x + 14, y + 4)], PALE.mix(0.4).filled()));
    for (index, (name, list)) in selectors.into_iter().enumerate() {
        let colour = COLOURS[index % (COLOURS.len() - 1)];
        let points: Vec<(f64, f64)> =
            list.iter().filter_map(|figures| Some((figures.budget, figures.regret?))).collect();
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(2)));
    }
    legend(&mut chart)
}

/// The figures of each selector, by budget.
fn by_selector(evidence: &Evidence) -> Vec<(&'static str, &[super::SelectorFigures])> {
    let groups = evidence.selectors.chunk_by(|a, b| a.selector == b.selector);
    groups.map(|list| (list[0].selector.as_str(), list)).collect()
}

fn legend<'a, X, Y>(chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>) -> PlotResult
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FONT, 13))
        .background_style(WHITE.mix(0.85))
        .draw()?;
    Ok(())
}
