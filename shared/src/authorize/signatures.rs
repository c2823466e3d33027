//! The signatures of ID tokens, checked by `ring`, which is in every function already: TLS uses it.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// Verifies RS256 with keys of 2,048 to 8,192 bits, and ES256. Signs nothing.
pub(super) static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(Ring::new(*algorithm, key)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

enum Ring {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { point: Vec<u8> },
}

impl Ring {
    fn new(algorithm: Algorithm, key: &DecodingKey) -> Result<Self, Error> {
        match (algorithm, key.kind()) {
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                Ok(Self::Rsa { n: n.clone(), e: e.clone() })
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                Ok(Self::P256 { point: point.clone() })
            }
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        }
    }
}

impl Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Self::P256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
        }
        .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::RS256,
            Self::P256 { .. } => Algorithm::ES256,
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto::verify;

    use super::*;

    /// From RFC 7515, appendices A.2 and A.3.
    const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                           cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RS256: (&str, &str) = (
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2\
         Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQ\
         BMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6Ie\
         YI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
    const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw\
        -4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0\
        LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5Zw\
        Kh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const ES256: (&str, &str) = (
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );

    /// Whether this is the signature of the header and the payload.
    fn is_signed(
        (header, signature): (&str, &str),
        payload: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> bool {
        let _ = PROVIDER.install_default();
        let message = format!("{header}.{payload}");
        verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
    }

    #[test]
    fn signatures_of_the_standard_are_right_and_right_for_nothing_else() {
        let rsa = DecodingKey::from_rsa_components(MODULUS, "AQAB").unwrap();
        let (x, y) = (
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        );
        let p256 = DecodingKey::from_ec_components(x, y).unwrap();
        let swapped = DecodingKey::from_ec_components(y, x).unwrap();
        assert!(is_signed(RS256, PAYLOAD, &rsa, Algorithm::RS256));
        assert!(is_signed(ES256, PAYLOAD, &p256, Algorithm::ES256));

        let other = PAYLOAD.replacen("eyJpc3M", "eyJpc3N", 1);
        assert!(!is_signed(RS256, &other, &rsa, Algorithm::RS256));
        assert!(!is_signed(ES256, &other, &p256, Algorithm::ES256));
        assert!(!is_signed((ES256.0, RS256.1), PAYLOAD, &rsa, Algorithm::RS256));
        assert!(!is_signed(ES256, PAYLOAD, &swapped, Algorithm::ES256));
        for (signed, key, algorithm) in [
            (RS256, &rsa, Algorithm::ES256),
            (ES256, &p256, Algorithm::RS256),
            (RS256, &rsa, Algorithm::RS384),
            (RS256, &rsa, Algorithm::PS256),
            (RS256, &rsa, Algorithm::HS256),
            (ES256, &p256, Algorithm::HS256),
        ] {
            assert!(!is_signed(signed, PAYLOAD, key, algorithm), "{algorithm:?}");
        }
    }

    #[test]
    fn the_standards_example_with_a_shared_secret_is_refused() {
        // From RFC 7519, section 3.1, with the key of RFC 7515, appendix A.1.
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = DecodingKey::from_secret(&hmac_key(secret));
        let signed = (
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        );
        assert!(!is_signed(signed, PAYLOAD, &key, Algorithm::HS256));
    }

    fn hmac_key(text: &str) -> Vec<u8> {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn rsa_keys_of_less_than_2048_bits_verify_nothing() {
        // A right signature by a key of 1,024 bits.
        let modulus = "wpj1s-KsJ_Dh0LWu_OsqKjPNpBGkTstE2GG8r819FYayHC_GkOc5NUJMYLrSaD8uFUxYwrcb8ZBvEseW\
                   MtWsqigT8GXuUnYSdDjOQiKDAvOiOUSwNltqCT27qfqPwoqFMCjD5HHrFo4cPuCycjKIVWZ7pGqmje3aREuLI4qihPU";
        let signature = "NzeNePBYWDdLjO2q1zcC4pDcFOhvpP4Jt0HTVxlrvs9mHQtkro5Mv6K5h0ZaDZ0UhfUJLs4ACDchjcDl\
                   2rm2AOjeU2-uwyrnmHMh61vqpbQPK1RDx56JcqCqB0k3CPRa0w4bkw9oaL9N467ySNbGgLwmhvCeGXQY6ovlSdooPhw";
        let key = DecodingKey::from_rsa_components(modulus, "AQAB").unwrap();
        assert!(!is_signed((RS256.0, signature), PAYLOAD, &key, Algorithm::RS256));
    }
}
