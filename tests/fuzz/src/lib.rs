//! Fuzz targets for what strangers can send, and for the models that they hand over. As ordinary tests each runs for two seconds; `make fuzz MINUTES=10` lets
//! libFuzzer, which sees the branches that an input takes, look for longer.
#![cfg(test)]

mod edits;
mod issue;
mod mcp;
mod models;
mod room;
mod table;
mod webhook;
