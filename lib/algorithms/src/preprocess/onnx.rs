//! A preprocessor in ONNX: one input a raw column, all features out.

use super::category::{CategoryColumn, CategoryEncoding};
use super::number::NumberColumn;
use super::preprocessor::{FittedColumn, Parameters, Preprocessor};
use crate::onnx::{Attribute, Element, Graph, OnnxError};

/// What a column gives to the graph: features, and where its value is missing when nothing fills it.
struct Piece {
    features: String,
    incomplete: Option<String>,
}

impl Preprocessor {
    /// The features (rows × features), and which rows (rows × 1) would be left out; `None` where every value is filled.
    pub(crate) fn onnx(&self, graph: &mut Graph) -> Result<(String, Option<String>), OnnxError> {
        let input = |graph: &mut Graph, column: &FittedColumn| {
            let element = match column.parameters {
                Parameters::Number(_) => Element::Double,
                Parameters::Category(_) => Element::Text,
            };
            graph.input(&column.name, element, 1)
        };
        let inputs = self.columns.iter().map(|column| input(graph, column)).collect::<Vec<_>>();
        graph.describe("inputs", inputs.clone());
        let columns = self.columns.iter().zip(&inputs).collect::<Vec<_>>();
        let is_text = |column: &FittedColumn| matches!(column.parameters, Parameters::Category(_));
        let (mut features, mut incomplete) = (Vec::new(), None::<String>);
        // Neighbouring columns of numbers are computed together.
        for group in columns.chunk_by(|(a, _), (b, _)| !is_text(a) && !is_text(b)) {
            let numbers = group.iter().filter_map(|(column, input)| match &column.parameters {
                Parameters::Number(number) => Some((number, input.as_str())),
                Parameters::Category(_) => None,
            });
            let numbers = numbers.collect::<Vec<_>>();
            let piece = match group {
                [(FittedColumn { parameters: Parameters::Category(category), .. }, input)] => {
                    text(category, graph, input)?
                }
                _ => self::numbers(&numbers, graph)?,
            };
            features.push(piece.features);
            incomplete = match (incomplete, piece.incomplete) {
                (Some(before), Some(here)) => Some(graph.op("Or", &[&before, &here])),
                (before, here) => before.or(here),
            };
        }
        let features = features.iter().map(String::as_str).collect::<Vec<_>>();
        Ok((graph.side_by_side(&features), incomplete))
    }
}

/// Columns of numbers: infinite ones count as missing, missing ones are filled, then clipped and scaled.
fn numbers(columns: &[(&NumberColumn, &str)], graph: &mut Graph) -> Result<Piece, OnnxError> {
    let inputs = columns.iter().map(|(_, input)| *input).collect::<Vec<_>>();
    let mut values = graph.side_by_side(&inputs);
    let row = |graph: &mut Graph, of: &dyn Fn(&NumberColumn) -> f64| {
        graph.constant(&[columns.len()], &columns.iter().map(|(column, _)| of(column)).collect::<Vec<_>>())
    };
    let (unknown, infinite) = (graph.op("IsNaN", &[&values]), graph.op("IsInf", &[&values]));
    let missing = graph.op("Or", &[&unknown, &infinite]);
    let fills = row(graph, &|column| column.fill.unwrap_or_default())?;
    values = graph.op("Where", &[&missing, &fills, &values]);
    let incomplete = if columns.iter().any(|(column, _)| column.fill.is_none()) {
        let counted = graph.cast(&missing, Element::Double);
        let count = graph.sum(&counted, 1)?;
        let none = graph.scalar(0.0)?;
        Some(graph.op("Greater", &[&count, &none]))
    } else {
        None
    };
    if columns.iter().any(|(column, _)| column.limits.is_some()) {
        let low = row(graph, &|column| column.limits.map_or(f64::NEG_INFINITY, |limits| limits.0))?;
        let high = row(graph, &|column| column.limits.map_or(f64::INFINITY, |limits| limits.1))?;
        values = graph.op("Max", &[&values, &low]);
        values = graph.op("Min", &[&values, &high]);
    }
    if columns.iter().any(|(column, _)| column.center != 0.0 || column.scale != 1.0) {
        let (center, scale) = (row(graph, &|column| column.center)?, row(graph, &|column| column.scale)?);
        values = graph.op("Sub", &[&values, &center]);
        values = graph.op("Div", &[&values, &scale]);
        let (least, most) = (graph.scalar(f64::MIN)?, graph.scalar(f64::MAX)?);
        values = graph.op("Clip", &[&values, &least, &most]);
    }
    Ok(Piece { features: values, incomplete })
}

/// A column of text; an empty text is a missing one, unless it was a category in training.
fn text(column: &CategoryColumn, graph: &mut Graph, input: &str) -> Result<Piece, OnnxError> {
    let size = column.categories.iter().map(|category| category.len() + 8).sum();
    graph.reserve(size)?;
    let is_category = column.categories.first().is_some_and(String::is_empty);
    let mut keys = column.categories.iter().map(String::as_str).collect::<Vec<_>>();
    let place = |index: usize| match &column.encoding {
        CategoryEncoding::OneHot { kept } => kept.binary_search(&(index as u32)).unwrap_or(kept.len()) as i64,
        CategoryEncoding::Ordinal | CategoryEncoding::Target { .. } => index as i64,
    };
    let mut places = (0..keys.len()).map(place).collect::<Vec<_>>();
    if let Some(fill) = column.fill.filter(|_| !is_category) {
        keys.push("");
        places.push(place(fill as usize));
    }
    let unseen = match &column.encoding {
        CategoryEncoding::OneHot { kept } => kept.len() as i64,
        CategoryEncoding::Ordinal => -1,
        CategoryEncoding::Target { means, .. } => means.len() as i64,
    };
    let attributes = [
        ("keys_strings", Attribute::Texts(&keys)),
        ("values_int64s", Attribute::Ints(&places)),
        ("default_int64", Attribute::Int(unseen)),
    ];
    let code = graph.op_with("LabelEncoder", &[input], &attributes);
    let features = match &column.encoding {
        CategoryEncoding::OneHot { kept } => {
            let columns = graph.ints(&(0..=kept.len() as i64).collect::<Vec<_>>())?;
            let hits = graph.op("Equal", &[&code, &columns]);
            graph.cast(&hits, Element::Double)
        }
        CategoryEncoding::Ordinal => graph.cast(&code, Element::Double),
        CategoryEncoding::Target { means, overall, .. } => {
            let table = means.iter().chain([overall]).flatten().copied().collect::<Vec<_>>();
            let table = graph.constant(&[means.len() + 1, overall.len()], &table)?;
            let shape = graph.ints(&[-1])?;
            let code = graph.op("Reshape", &[&code, &shape]);
            graph.op("Gather", &[&table, &code])
        }
    };
    let incomplete = if column.fill.is_none() && !is_category {
        let absent = [
            ("keys_strings", Attribute::Texts(&[""])),
            ("values_int64s", Attribute::Ints(&[1])),
            ("default_int64", Attribute::Int(0)),
        ];
        let absent = graph.op_with("LabelEncoder", &[input], &absent);
        let none = graph.ints(&[0])?;
        Some(graph.op("Greater", &[&absent, &none]))
    } else {
        None
    };
    Ok(Piece { features, incomplete })
}
