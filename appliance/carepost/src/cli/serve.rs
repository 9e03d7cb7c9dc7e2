//! `carepost serve`.

use std::path::PathBuf;

use clap::Args;

use super::{LogFormat, Place, begin_log, settings};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Flag;
use crate::connections::Stopping;
use crate::serve;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Place,
    /// The settings' file, instead of carepost.toml in the data folder.
    #[arg(long, env = "CAREPOST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where plain HTTP is served, for example 127.0.0.1:8080.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where HTTPS is served, for example 0.0.0.0:8443.
    #[arg(long, value_name = "ADDR")]
    tls_listen: Option<String>,
    /// Where the page is served that helps tablets to trust the box, for example 0.0.0.0:80.
    #[arg(long, value_name = "ADDR")]
    trust_listen: Option<String>,
}

impl Serve {
    pub(super) fn run(self, log_format: Option<LogFormat>) -> anyhow::Result<()> {
        let Self { place, config, listen, tls_listen, trust_listen } = self;
        let flags = [
            ("--listen", "http.listen", listen),
            ("--tls-listen", "http.tls_listen", tls_listen),
            ("--trust-listen", "http.trust_listen", trust_listen),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(name, key, value)| Some(Flag { name, key, value: value? }))
            .collect();
        let config = settings(&place.data, config.as_deref(), log_format, flags)?;
        begin_log(config.log.json, config.log.level);
        let app = App::open(&place.data, config, Clock::System)?;
        on_runtime(async {
            let stopping = Stopping::default();
            serve::stop_on_signals(&stopping)?;
            serve::open(app).await?.serve(stopping).await;
            Ok(())
        })
    }
}

/// Runs something on the runtime of the box, and ends with the runtime gone.
pub(super) fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
