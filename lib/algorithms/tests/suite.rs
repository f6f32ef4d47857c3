//! Every test of the public interface, in one program: the crate is large, and each program would compile its generics again.

mod boosting;
mod calibration;
mod clustering;
mod clustering_golden;
mod linear_family;
mod logistic_regression;
mod metrics_golden;
mod models;
mod models_damaged;
mod models_golden;
mod neural;
mod onnx;
mod preparation;
mod reduction;
mod reduction_golden;
mod search;
mod trees;
