//! The coupling of pairs of classes to probabilities in ONNX: the loop of [`super::platt::couple`], for all rows together.

use crate::onnx::{Attribute, Graph, OnnxError};

/// The probabilities (rows × classes) that agree best with those of the first class of each pair (rows × pairs).
pub(super) fn couple(graph: &mut Graph, pairs: &str, classes: usize) -> Result<String, OnnxError> {
    let (matrix, own) = matrix(graph, pairs, classes)?;
    let (first, none) = (graph.ints(&[0])?, graph.scalar(0.0)?);
    let row = graph.op_with("Gather", &[&own, &first], &[("axis", Attribute::Int(1))]);
    let row = graph.op("Mul", &[&row, &none]);
    let even = graph.constant(&[classes], &vec![1.0 / classes as f64; classes])?;
    let even = graph.op("Add", &[&row, &even]);
    let shares = graph
        .repeat(classes.max(100), &even, classes, |graph, shares| step(graph, shares, (&matrix, &own), classes))?;
    let total = graph.sum(&shares, 1)?;
    Ok(graph.op("Div", &[&shares, &total]))
}

/// The matrix of each row (rows × classes × classes) and its diagonal (rows × classes).
fn matrix(graph: &mut Graph, pairs: &str, classes: usize) -> Result<(String, String), OnnxError> {
    let of_pairs = (0..classes).flat_map(|a| (a + 1..classes).map(move |b| (a, b))).collect::<Vec<_>>();
    let count = of_pairs.len();
    let table = |width: usize, places: &dyn Fn(usize, usize) -> Vec<usize>| {
        let mut table = vec![0.0; count * width];
        for (row, &(a, b)) in of_pairs.iter().enumerate() {
            for place in places(a, b) {
                table[row * width + place] = 1.0;
            }
        }
        table
    };
    let both = table(classes * classes, &|a, b| vec![a * classes + b, b * classes + a]);
    let both = graph.constant(&[count, classes * classes], &both)?;
    let firsts = graph.constant(&[count, classes], &table(classes, &|a, _| vec![a]))?;
    let seconds = graph.constant(&[count, classes], &table(classes, &|_, b| vec![b]))?;
    let one = graph.scalar(1.0)?;
    let others = graph.op("Sub", &[&one, pairs]);
    // A class is judged by what is said against it.
    let against = graph.op("Mul", &[&others, &others]);
    let against = graph.op("MatMul", &[&against, &firsts]);
    let against_second = graph.op("Mul", &[pairs, pairs]);
    let against_second = graph.op("MatMul", &[&against_second, &seconds]);
    let own = graph.op("Add", &[&against, &against_second]);
    let products = graph.op("Mul", &[pairs, &others]);
    let products = graph.op("Neg", &[&products]);
    let apart = graph.op("MatMul", &[&products, &both]);
    let shape = graph.ints(&[-1, classes as i64, classes as i64])?;
    let apart = graph.op("Reshape", &[&apart, &shape]);
    let diagonal = (0..classes * classes).map(|at| f64::from(u8::from(at % (classes + 1) == 0)));
    let diagonal = graph.constant(&[classes, classes], &diagonal.collect::<Vec<_>>())?;
    let last = graph.ints(&[2])?;
    let spread = graph.op("Unsqueeze", &[&own, &last]);
    let spread = graph.op("Mul", &[&spread, &diagonal]);
    Ok((graph.op("Add", &[&apart, &spread]), own))
}

/// One turn: the shares after it, and whether any row is to go on. A row that has ended keeps its shares.
fn step(
    graph: &mut Graph,
    shares: &str,
    (matrix, own): (&str, &str),
    classes: usize,
) -> Result<[String; 2], OnnxError> {
    let (second, one, two) = (graph.ints(&[1])?, graph.scalar(1.0)?, graph.scalar(2.0)?);
    let wide = graph.op("Unsqueeze", &[shares, &second]);
    let products = graph.op("MatMul", &[&wide, matrix]);
    let mut products = graph.op("Squeeze", &[&products, &second]);
    let parts = graph.op("Mul", &[shares, &products]);
    let mut whole = graph.sum(&parts, 1)?;
    let enough = graph.scalar(0.005 / classes as f64)?;
    let apart = graph.op("Sub", &[&products, &whole]);
    let apart = graph.op("Abs", &[&apart]);
    let farthest = graph.op_with("ReduceMax", &[&apart], &[("axes", Attribute::Ints(&[1]))]);
    let ended = graph.op("Less", &[&farthest, &enough]);
    let mut moved = shares.to_owned();
    for class in 0..classes {
        let place = graph.ints(&[class as i64])?;
        let at_class =
            |graph: &mut Graph, of: &str| graph.op_with("Gather", &[of, &place], &[("axis", Attribute::Int(1))]);
        let (itself, product) = (at_class(graph, own), at_class(graph, &products));
        let row = at_class(graph, matrix);
        let row = graph.op("Squeeze", &[&row, &second]);
        let apart = graph.op("Sub", &[&whole, &product]);
        let change = graph.op("Div", &[&apart, &itself]);
        let divisor = graph.op("Add", &[&change, &one]);
        let here = (0..classes).map(|other| f64::from(u8::from(other == class))).collect::<Vec<_>>();
        let here = graph.constant(&[classes], &here)?;
        let added = graph.op("Mul", &[&change, &here]);
        moved = graph.op("Add", &[&moved, &added]);
        moved = graph.op("Div", &[&moved, &divisor]);
        let twice = graph.op("Mul", &[&product, &two]);
        let grown = graph.op("Mul", &[&change, &itself]);
        let grown = graph.op("Add", &[&grown, &twice]);
        let grown = graph.op("Mul", &[&change, &grown]);
        whole = graph.op("Add", &[&whole, &grown]);
        let square = graph.op("Mul", &[&divisor, &divisor]);
        whole = graph.op("Div", &[&whole, &square]);
        let added = graph.op("Mul", &[&change, &row]);
        products = graph.op("Add", &[&products, &added]);
        products = graph.op("Div", &[&products, &divisor]);
    }
    let moved = graph.op("Where", &[&ended, shares, &moved]);
    let going = graph.op("GreaterOrEqual", &[&farthest, &enough]);
    Ok([moved, going])
}
