//! The key that the stand-in Slack signs its `id_token`s with. It stands here for everybody to read: whoever believes it
//! believes a stand-in.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD as BASE64, BASE64_URL_SAFE_NO_PAD as BASE64_URL},
};
use ring::{
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::RSA_PKCS1_SHA256,
};
use serde_json::{Value, json};

/// The key's name.
const ID: &str = "twin";
/// RSA, 2048 bits, PKCS #8; not a secret.
const KEY: &str = "\
    MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQDHO3U1PPb1AwvcT4z3m8Oty8ZpZrT/fSTaWOsmHc+PsZSFKSpgtkQ2Q8eoqykw\
    h5vgocA1YsWpdOhsJ2xALLb0DlsfSc/ZKKBmGquS57/J8VcRJQQe1trzVM1UNawK9rjLxQn3LHbvijWxVMtQ/6ySsxo0gnDqXA18XVelKiIFFvot\
    fLT9glG+gRCM6Sq7FzlypBbHN8Bn/EZ5UPalvkYKucE2/+hlYu+s9v3lg3PsHd+0gQJOSHgLXOkeEXQJsu9VfnvAUPrAVvwqBhEIneigEWD+raXW\
    P/cTek9sMhO9HgHZxI0DxPWoyIhKOSDNRLlmEdNH/E0fYa2Gc4iDQrjLAgMBAAECggEAECu2nbWZuH/2IdGgeCXVF3F8uegI34aBdpTVBpOmLzGT\
    WSONjv/8QAihrK0H0NU7mltGmzlYdc1JYs3oWWUdDGjF40o9wTss7wdRzxYEWRhqSrfzF6sKER9cSG4leAECiszZZuMzBspJsApZM5/XmqidgzmQ\
    f1UtZbS7J8ATDCU79U594GItcRCqWGYZX42GevgBYXCb/TwQGJwItIneoPykwZivpuUNGeVKQlNec2aK3yCDmMxBIcaQm0RSdKH4a4H2YrSIqd41\
    Xro/25Au+KNCkqLCiF87LHpPwrR/jkDd4ACJRyIGRgrB/MJLrlo+SiVTbr9GyJEVx98Lize7sQKBgQDlfC1tjOUG4ULdT4f2Nbysz8qnHBR7TGip\
    vs8sSlCM/mE3pVaFn30dN7mJ7tu52Xsg9FBbvDY6YCHPW8/y2qCBtNk07WA1wNmTjDe2YGHJsLrDwfYdHz0o0xcke95MjvVgWcXgXlvdAJmy85Wt\
    ceuy40ZjqFsKUrp/4DdmcC7KtQKBgQDeQHKkonBJZIl3Tag38Ed9X1Iex19TtqtSlOXk5TPiCu/kGV9nWWMcdnj2NjtfhrNiPFp8WUoSIQ8H1PLI\
    hnsh7xK4mDbW+li1ei3Gyj3880YIVt2YB1x4iVbuorwzG4eP2AvU3RQBZIgnh4VuQZ6uc/2B+OLdGZjqjBxVbcAlfwKBgQDgv1TeTXaf3k1V4WYO\
    w2Ic/QRD1URZ3ONEGxNbFQz+iMM9dDfgdepaixCy/bNDuLLV+3AX56RUV4HFSu3Fskgvv6ZaJ4BqJIzx7AlEG/CpTuQahAM9UjLboKCxon58DCZU\
    Tpd0vfTJ5KSildypGUD02ZE+WMuQuKTeSAD52jR5YQKBgQCz8HHhITLP+PnjAZikUYFP3BDcooZnfImQvsSyYW90H27Bulknj5NSxAiDLr07Rg+O\
    BVctPg1eSC2nJZ27BEZE3w7FLVeZDe8sXtMZEzzEwyF8NvgJ0kvnuyoK4u6EYlGLAFvz51n/Fqm1d19sOOyESZyB0kO6xrKrkuyNreHXeQKBgQCw\
    T5ZInr7sTmP/NflwSKyUZ0nm4+QJoqPe36wHWaOVvwyUI7jUQzmB/HW5TN8X4It+Rnp+osb1OiWuUAdirMhI12o9VovRlIZjVE2V0YnKaNiuxNox\
    /Kgj1ds5t5AycPJctI4zKL7EUilSyqrtayDNLnhVQcqnrBS//ITbyzG0XQ==";

/// What `/openid/connect/keys` publishes.
pub(crate) fn published() -> Value {
    let keys = key().map(|key| {
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": ID, "n": BASE64_URL.encode(n), "e": BASE64_URL.encode(e),
        })
    });
    json!({ "keys": Vec::from_iter(keys) })
}

/// Claims as a signed token.
pub(crate) fn signed(claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": ID, "typ": "JWT" });
    let text = format!("{}.{}", BASE64_URL.encode(header.to_string()), BASE64_URL.encode(claims.to_string()));
    let signature = key().and_then(|key| {
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        Some(signature)
    });
    format!("{text}.{}", BASE64_URL.encode(signature.unwrap_or_default()))
}

fn key() -> Option<KeyPair> {
    KeyPair::from_pkcs8(&BASE64.decode(KEY).ok()?).ok()
}
