//! TLS to the broker: rumqttc speaks to a socket here, and what comes out goes on by rustls.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::broker::{Broker, Tls};

/// The broker answers within this long, or there is no connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// The longest path of a socket that Linux takes, in bytes.
const SOCKET_PATH_MAX: usize = 107;

/// Connects to the broker and opens a socket that leads there, once. Whoever holds the future that comes with the path drives
/// it; dropping it ends the connection.
pub async fn lead(
    broker: &Broker,
    tls: &Tls,
    folder: &Path,
) -> Result<(PathBuf, impl Future<Output = ()> + Send + use<>), String> {
    let stream = timeout(CONNECT_WITHIN, connect(broker, tls))
        .await
        .map_err(|_| "the broker does not answer".to_owned())??;
    let (listener, path) = listen(folder)
        .map_err(|error| format!("no socket can be made in {}: {error}", folder.display()))?;
    let leading = async move {
        let mut stream = stream;
        if let Ok((mut socket, _)) = listener.accept().await {
            // How it ended is seen at the other end.
            let _ = copy_bidirectional(&mut socket, &mut stream).await;
        }
    };
    Ok((path, leading))
}

async fn connect(broker: &Broker, tls: &Tls) -> Result<TlsStream<TcpStream>, String> {
    let config = config(tls)?;
    let host = broker.host.trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "the broker's name is none that a certificate can be for".to_owned())?;
    let address = format!("{}:{}", broker.host, broker.port);
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("the broker cannot be reached: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| format!("the broker's TLS is not as it should be: {error}"))
}

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let cannot = |file: &Path, error: &dyn std::fmt::Display| {
        format!("{} cannot be used: {error}", file.display())
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let certificates = |file: &Path| {
        CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| cannot(file, &error))
    };
    let builder = match &tls.authority {
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| cannot(file, &error))?;
            }
            builder.with_root_certificates(roots)
        }
        None => builder.with_platform_verifier().map_err(|error| error.to_string())?,
    };
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| cannot(key, &error))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, secret)
                .map_err(|error| cannot(certificate, &error))
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(_), None) | (None, Some(_)) => {
            Err("a certificate needs its key, and a key its certificate".to_owned())
        }
    }
}

/// A socket that only this user can reach. The folder stands before it, because a socket is there before its rights are.
fn listen(folder: &Path) -> io::Result<(UnixListener, PathBuf)> {
    let folder = folder.join("broker");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
    let path = folder.join("socket");
    if path.as_os_str().len() > SOCKET_PATH_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("its path is longer than {SOCKET_PATH_MAX} bytes; use a shorter data folder"),
        ));
    }
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok((UnixListener::bind(&path)?, path))
}
