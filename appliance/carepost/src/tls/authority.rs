//! The box's certificate authority: made once, kept in `keys/ca.key` and `keys/ca.crt`.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

use super::{Fingerprint, TlsError};

const KEYS: &str = "keys";
const KEY_FILE: &str = "ca.key";
const CERTIFICATE_FILE: &str = "ca.crt";
const ID_MAX: usize = 40;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten years: the tablets are set up once.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3652);
/// A certificate is good from a day before it was made, because tablets' clocks are slow.
const CLOCK_SLACK: Duration = DAY;

/// Makes the authority of the box `box_id` in the data folder: P-256, ten years from `now`,
/// constrained to the box's names and to private addresses. Both files are readable by their
/// owner only and are on the disk when this returns.
///
/// # Errors
/// If one is there already, or the files cannot be written.
pub fn init_ca(data: &Path, box_id: &str, now: Timestamp) -> Result<Authority, TlsError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ends = box_id.starts_with('-') || box_id.ends_with('-');
    if box_id.is_empty() || box_id.len() > ID_MAX || ends || !box_id.chars().all(good) {
        return Err(TlsError::BadId(box_id.to_owned()));
    }
    let keys = data.join(KEYS);
    let (key_file, certificate_file) = (keys.join(KEY_FILE), keys.join(CERTIFICATE_FILE));
    for file in [&key_file, &certificate_file] {
        if file.exists() {
            return Err(TlsError::Exists(file.clone()));
        }
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&keys)
        .map_err(|source| TlsError::File { path: keys, source })?;

    let host = format!("box-{box_id}");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Carepost");
    params.distinguished_name.push(DnType::CommonName, format!("Carepost {host}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted(&host),
        excluded_subtrees: Vec::new(),
    });
    set_validity(&mut params, now, later(now, AUTHORITY_LIFE));
    let certificate = params.self_signed(&key)?;

    write_secret(&key_file, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    write_secret(&certificate_file, certificate.pem().as_bytes())?;
    Authority::open(data)
}

/// The box's certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    names: Vec<String>,
    not_after: Timestamp,
}

impl Authority {
    /// The authority that [`init_ca`] left in the data folder.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the key is not that of the certificate.
    pub fn open(data: &Path) -> Result<Self, TlsError> {
        let key_file = data.join(KEYS).join(KEY_FILE);
        let certificate_file = data.join(KEYS).join(CERTIFICATE_FILE);
        let damaged = |path: &Path, why: String| TlsError::Damaged { path: path.into(), why };

        let key_pem = Zeroizing::new(read(&key_file)?);
        let key =
            KeyPair::from_pem(&key_pem).map_err(|error| damaged(&key_file, error.to_string()))?;
        let certificate = CertificateDer::from_pem_slice(read(&certificate_file)?.as_bytes())
            .map_err(|error| damaged(&certificate_file, error.to_string()))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
            .map_err(|error| damaged(&certificate_file, error.to_string()))?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(damaged(&key_file, "it is not the key of ca.crt".to_owned()));
        }
        let not_after = Timestamp::from_second(parsed.validity().not_after.timestamp())
            .map_err(|error| damaged(&certificate_file, error.to_string()))?;
        let names = permitted_names(&parsed);
        if names.is_empty() {
            return Err(damaged(&certificate_file, "it names no box".to_owned()));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate: certificate.clone(), names, not_after })
    }

    /// The certificate that tablets install, in DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// What people compare before they trust it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// The host names that the box goes by, the one to show first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// When it ends; certificates never outlive it.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// A certificate with a fresh P-256 key for these names and addresses, from a day before
    /// `now` until `life` after it, and when that is over.
    pub(super) fn issue(
        &self,
        names: &[String],
        addresses: impl Iterator<Item = IpAddr>,
        life: Duration,
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>, Timestamp), TlsError> {
        let not_after = later(now, life).min(self.not_after);
        if not_after <= now {
            return Err(TlsError::Ended(self.not_after));
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(names)?;
        params.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = names.first() {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, not_after);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let private = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|error| TlsError::NotMade(error.to_owned()))?;
        Ok((certificate.der().clone(), private, not_after))
    }
}

/// Whether the authority may vouch for `address`: private (RFC 1918), unique local (RFC 4193),
/// link-local or loopback. One address outside would make clients refuse the whole certificate.
pub(crate) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

fn permitted(host: &str) -> Vec<GeneralSubtree> {
    let names = [format!("{host}.local"), format!("{host}.home.arpa"), "localhost".to_owned()];
    let v4 = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
    let v4 = v4.into_iter().chain([([127, 0, 0, 0], 8), ([169, 254, 0, 0], 16)]);
    let v6 = [
        (Ipv6Addr::LOCALHOST, 128),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    ];
    let subnet = |address: IpAddr, bits: u8| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
    };
    names
        .into_iter()
        .map(GeneralSubtree::DnsName)
        .chain(v4.map(|(octets, bits)| subnet(Ipv4Addr::from(octets).into(), bits)))
        .chain(v6.into_iter().map(|(address, bits)| subnet(address.into(), bits)))
        .collect()
}

/// The box's names are read back from the certificate, so that they cannot differ from what
/// clients accept.
fn permitted_names(certificate: &x509_parser::certificate::X509Certificate<'_>) -> Vec<String> {
    let constraints = certificate.name_constraints().ok().flatten();
    let subtrees = constraints.and_then(|found| found.value.permitted_subtrees.as_ref());
    let mut names = Vec::new();
    for subtree in subtrees.into_iter().flatten() {
        if let GeneralName::DNSName(name) = &subtree.base {
            names.push((*name).to_owned());
        }
    }
    names
}

/// `time` and so much more, at the end of the calendar clamped.
pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, not_after: Timestamp) {
    let since_1970 =
        |time: Timestamp| Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0));
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_1970(now).saturating_sub(CLOCK_SLACK);
    params.not_after = epoch + since_1970(not_after);
}

fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(|why| TlsError::Missing { path: path.into(), why })
}

fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    let failed = |source: io::Error| TlsError::File { path: path.into(), source };
    let folder = path.parent().expect("invariant: the file lies in the folder `keys`");
    // A temporary file is made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| failed(error.error))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
