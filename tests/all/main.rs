//! The tests of the server, as one program: it links once. Real PostgreSQL, real agents over HTTP, one process.

mod docs;
mod hiring;
mod house;
mod pages;
mod payments;
mod site;
mod test_app;
