//! Mail by Amazon SES.

mod mailer;

pub use mailer::SesMailer;
