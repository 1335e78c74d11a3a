pub const LESSON: ::check::Lesson = ::check::Lesson { number: 3, port: 8080, server: "", client: "", checks: &[] };
