//! Where an evaluation's files go, and whether they are written at all.

use mlops_algorithms::table::Table;
use mlops_artifacts::{Artifacts, Kind, TableFormat};
use mlops_core::ports::Condition;
use mlops_core::{Call, Error, Lang, Result};
use serde::Serialize;

use crate::classifier_run::Evaluated;
use crate::evaluation::{Evaluation, PlotFile};
use crate::pictures::{self, Names, Picture};

/// A folder of new artifacts. A dry run names places and writes nothing.
pub(crate) struct Folder<'a> {
    /// The artifacts.
    pub artifacts: &'a Artifacts,
    /// The kind of folder.
    pub kind: Kind,
    /// The run.
    pub run_id: &'a str,
    /// Whether nothing is written.
    pub dry_run: bool,
}

impl Folder<'_> {
    /// Writes bytes, and says where.
    pub(crate) async fn bytes(&self, name: &str, bytes: Vec<u8>) -> Result<String> {
        let place = self.artifacts.place(self.kind, self.run_id, name);
        if self.dry_run {
            return Ok(place.to_string());
        }
        Ok(self.artifacts.write_bytes(&place, bytes, Condition::None).await?.uri.to_string())
    }

    /// Writes a value as JSON, and says where.
    pub(crate) async fn json<T: Serialize>(&self, name: &str, value: &T) -> Result<String> {
        let place = self.artifacts.place(self.kind, self.run_id, name);
        if self.dry_run {
            return Ok(place.to_string());
        }
        Ok(self.artifacts.write_json(&place, value).await?.uri.to_string())
    }

    /// Writes a table as Parquet, and says where.
    pub(crate) async fn table(&self, name: &str, table: &Table) -> Result<String> {
        let place = self.artifacts.place(self.kind, self.run_id, name);
        if self.dry_run {
            return Ok(place.to_string());
        }
        Ok(self.artifacts.write_table(&place, table, TableFormat::Parquet).await?.uri.to_string())
    }

    /// Writes pictures in both forms: the SVG with all names, the PNG with those that its font can draw.
    pub(crate) async fn plots(&self, drawn: Vec<DrawnPlot>) -> Result<Vec<PlotFile>> {
        let mut files = Vec::new();
        for plot in drawn {
            files.push(PlotFile {
                name: plot.name.to_owned(),
                png_uri: self.bytes(&format!("{}.png", plot.name), plot.png).await?,
                svg_uri: self.bytes(&format!("{}.svg", plot.name), plot.svg.into_bytes()).await?,
            });
        }
        Ok(files)
    }
}

/// A picture in both forms, ready to be written.
pub(crate) struct DrawnPlot {
    name: &'static str,
    svg: String,
    png: Vec<u8>,
}

impl DrawnPlot {
    /// One picture, drawn with all names and with the drawable ones.
    pub(crate) fn new(name: &'static str, draw: impl Fn(Names) -> String) -> Result<Self> {
        let picture = Picture { name, svg: draw(Names::Drawable) };
        Ok(Self { name, svg: draw(Names::All), png: picture.png()? })
    }
}

/// Every picture of the evaluation in both forms, with English words.
pub(crate) fn draw_all(evaluation: &Evaluation) -> Result<Vec<DrawnPlot>> {
    let all = pictures::of(evaluation, Names::All, Lang::En);
    let drawable = pictures::of(evaluation, Names::Drawable, Lang::En);
    if all.len() != drawable.len() {
        return Err(Error::internal("the two forms of the plots differ"));
    }
    let both = all.into_iter().zip(drawable);
    both.map(|(all, drawable)| Ok(DrawnPlot { name: all.name, svg: all.svg, png: drawable.png()? })).collect()
}

/// Writes everything of an evaluation, the document last, and says where the document lies.
pub(crate) async fn write(
    folder: &Folder<'_>,
    evaluated: &mut Evaluated,
    plots: Vec<DrawnPlot>,
    call: &Call,
) -> Result<String> {
    call.check()?;
    folder.run_id.clone_into(&mut evaluated.evaluation.run_id);
    evaluated.evaluation.predictions_uri = folder.table("predictions.parquet", &evaluated.predictions).await?;
    evaluated.evaluation.plots = folder.plots(plots).await?;
    folder.json("evaluation.json", &evaluated.evaluation).await
}
